"""Two users of one database, one of whom attacks the other with psql."""

from __future__ import annotations

from contextlib import closing
from typing import Any, NamedTuple
from uuid import uuid4

from psycopg import errors

from tests.conftest import Database, Person
from tests.support.connections import Line
from todo_cli.contract.tasks import AddTask, CompleteTasks
from todo_cli.contract.tokens import CreateToken

REFUSED = (errors.InsufficientPrivilege,)


class Neighbours(NamedTuple):
    """Two users of one database. Alice attacks; all that is Bob's has his name in it: `secrets`."""

    db: Database
    alice: Person
    bob: Person
    secrets: tuple[str, ...]


def make_neighbours(db: Database) -> Neighbours:
    """Create both users, and a task, changes and a token of Bob's."""
    alice, bob = db.person(), db.person(f"bob{uuid4().hex[:8]}")
    with closing(Line(bob.database_url, bob)) as line:
        line(
            AddTask(title="bobtitle", note="bobnote", project="bobproject", tags=("bobtag",), due="2030-01-01"),
            key="bobkey",
        )
        line(CompleteTasks(numbers=(1,)))
        line(CreateToken(id=str(uuid4()), hash="b0" * 32, name="bobtoken", scopes=("read",)))
    return Neighbours(
        db, alice, bob, (bob.user_id, bob.name, "bobtitle", "bobnote", "bobproject", "bobtag", "bobkey", "bobtoken")
    )


def list_identities(neighbours: Neighbours) -> dict[str, dict[str, str]]:
    """Return the settings by which Alice may claim to be another user, by name."""
    alice, bob = neighbours.alice, neighbours.bob
    forged = f"todo_{bob.user_id.replace('-', '')}_{'x' * 43}"
    return {
        "nobody": {"token": "", "user": "", "space": ""},
        "herself": {},
        "herself in his space": {"space": bob.user_id},
        "his name, her token": {"user": bob.user_id, "space": bob.user_id},
        "a forged token": {"token": forged, "user": bob.user_id, "space": bob.user_id},
        "his own token": {"token": bob.token, "user": bob.user_id, "space": bob.user_id},
        "his token, her name": {"token": bob.token, "space": bob.user_id},
        "the nil user": {"user": "00000000-0000-0000-0000-000000000000"},
        "a hash": {"token": "\\x" + "b0" * 32, "user": bob.user_id, "space": bob.user_id},
        "her token, his space": {"token": alice.token, "space": bob.user_id},
    }


def insert_task(space: str) -> tuple[str, list[Any]]:
    """Return the statement that inserts a task into a space, and its values."""
    return (
        "INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)"
        " VALUES (%s, 1, gen_random_uuid(), 'x', now(), now(), 1)",
        [space],
    )
