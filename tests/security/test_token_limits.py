"""Attacks with a token that has limits: through every Request, and with SQL as the roles that may use it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from typing import Any, NamedTuple

import msgspec
import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database, Person
from tests.support.connections import Line, Raw, raw, signed
from tests.support.limited_tokens import create_limited_token
from tests.support.minimal_requests import make_requests
from todo_cli.contract.attachments import AddAttachment, StartUpload, StoreChunk
from todo_cli.contract.base import Request
from todo_cli.contract.channels import AddChannel
from todo_cli.contract.codec import encode
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.plans import MakePlan
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.tasks import AddTask, EditTasks, ListTasks
from todo_cli.contract.views import SaveView
from todo_cli.db.limited_policies import LIMITED
from todo_cli.errors import Bug, TodoError

OUTSIDE, INSIDE, CHILD = 1, 2, 3
TABLES = ("tasks", "task_tags", "links", "comments", "attachments", "attachment_chunks", "views", "plans")
SIGNED_IN = [request for request in REQUESTS if request.scope is not None]


class World(NamedTuple):
    """A user with tasks inside and outside the filter of an agent's token. All else of theirs has a mark in it."""

    db: Database
    who: Person
    token: str


@pytest.fixture(scope="module")
def world(db: Database) -> World:
    who = db.person()
    with closing(Line(db.server_url, who)) as line:
        line(AddTask(title="secretmark", note="secretmark", project="secretmark", tags=("secretmark",)))
        line(AddTask(title="inside", tags=("agent",), after=(OUTSIDE,)))
        line(AddTask(title="secretmark child", parent=INSIDE))
        line(AddComment(number=OUTSIDE, id=new_id(), text="secretmark"))
        file = {"number": OUTSIDE, "id": new_id()}
        line(StartUpload(**file, name="secretmark", size=1, sha256=sha256(b"x").hexdigest()))
        line(StoreChunk(**file, position=0, data=b"x"))
        line(AddAttachment(**file))
        line(EditTasks(numbers=(OUTSIDE, INSIDE), priority=1))
        line(SaveView(name="secretmark", filter="@secretmark"))
        line(AddChannel(name="secretmark", kind="email", target="secretmark@example.org"))
        plan = MakePlan(id=new_id(), operation="EditTasks", arguments={"numbers": [OUTSIDE], "title": "secretmark"})
        line(plan)
        scopes = ("read", "tasks:write", "tokens:write")
        token = create_limited_token(line, filter="@agent", scopes=scopes)
    return World(db, who, token)


@pytest.fixture(scope="module")
def agent(world: World) -> Iterator[Line]:
    """Return a server's connection on which the agent asks."""
    with closing(Line(world.db.server_url, world.who)) as line:
        yield line


def read_outside(world: World) -> list[tuple[Any, ...]]:
    """Return all rows that are not the agent's, as the owner sees them."""
    user, agent = _of(world)
    conditions: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("tasks", "space_id = %s AND number IN (1, 3)", (user,)),
        ("task_tags", "space_id = %s AND number IN (1, 3)", (user,)),
        ("links", "space_id = %s AND (number IN (1, 3) OR after = 3)", (user,)),
        ("comments", "space_id = %s AND number IN (1, 3)", (user,)),
        ("attachments", "space_id = %s AND number IN (1, 3)", (user,)),
        ("views", "space_id = %s", (user,)),
        ("channels", "user_id = %s", (user,)),
        ("preferences", "user_id = %s", (user,)),
        ("plans", "space_id = %s AND token_id <> %s", (user, agent)),
        ("tokens", "user_id = %s AND reach IS NULL AND parent IS NULL", (user,)),
    )
    tables = " UNION ALL ".join(
        f"SELECT '{table}', to_jsonb(t) FROM todo.{table} t WHERE {c}" for table, c, _ in conditions
    )
    return world.db.execute(f"{tables} ORDER BY 1, 2", *(value for _, _, values in conditions for value in values))


def _of(world: World) -> tuple[str, str]:
    token = "SELECT id::text FROM todo.tokens WHERE user_id = %s AND reach IS NOT NULL AND filter = '@agent' LIMIT 1"
    return world.who.user_id, world.db.execute(token, world.who.user_id)[0][0]


@pytest.mark.parametrize("kind", SIGNED_IN, ids=lambda kind: kind.__name__)
def test_request_of_a_limited_token_neither_shows_nor_changes_what_is_outside(
    world: World, agent: Line, kind: type[Request[Any]]
) -> None:
    """A Request that is added later is walked too."""
    before = read_outside(world)
    for request in make_requests(kind, number=OUTSIDE, words="secretmark"):
        try:
            answer = encode(agent(request, token=world.token)).decode()
        except Bug as error:
            raise AssertionError(request) from error
        except TodoError as error:
            answer = msgspec.json.encode(error.as_problem(), enc_hook=str).decode()
        asked = msgspec.json.encode(request, enc_hook=str).decode().count("secretmark")
        assert answer.count("secretmark") <= asked, (request, answer)
        assert '"number":1,' not in answer, (request, answer)
    assert read_outside(world) == before
    assert [task.number for task in agent(ListTasks(filter="@agent"), token=world.token).tasks][:1] == [INSIDE]


def test_own_login_with_a_limited_token_sees_nothing(world: World) -> None:
    with closing(signed(world.who, token=world.token)) as psql:
        for table in TABLES:
            assert psql.execute(f"SELECT * FROM todo.{table}".encode()).fetchall() == []
        with pytest.raises(errors.InsufficientPrivilege):
            psql.execute(f"SET ROLE {LIMITED}".encode())
        with pytest.raises(psycopg.Error, match="cannot be used directly on the database"):
            psql.execute(
                "SELECT todo.enter(22, %s, %s, %s, 'read', false, 'x', 'ListTasks', true)",
                [world.token, world.who.user_id, world.who.user_id],
            )


@pytest.mark.parametrize(("is_limited", "role"), [(True, None), (False, LIMITED)])
def test_role_and_token_that_do_not_fit_see_nothing(world: World, is_limited: bool, role: str | None) -> None:
    token = world.token if is_limited else world.who.token
    with closing(_as_server(world, token, role)) as connection:
        for table in ("tasks", "task_tags", "links", "comments", "attachments", "changes", "views"):
            assert connection.execute(f"SELECT * FROM todo.{table}".encode()).fetchall() == []
        with pytest.raises(errors.InsufficientPrivilege):
            connection.execute(
                """INSERT INTO todo.comments (space_id, number, id, text)
                   VALUES (current_setting('app.space')::uuid, 2, gen_random_uuid(), 'x')"""
            )


def _as_server(world: World, token: str, role: str | None) -> Raw:
    user = world.who.user_id
    connection = raw(world.db.server_url, token=token, user=user, space=user)
    if role:
        connection.execute(f"SET ROLE {role}".encode())
    return connection


ATTACKS = {
    "rename a task outside": ("UPDATE todo.tasks SET title = 'x', rev = rev + 100 WHERE number = 1", 0),
    "move a task out without a change": ("UPDATE todo.tasks SET project = 'x' WHERE number = 2", None),
    "add a task without a change": (
        """INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)
           SELECT id, next_number, gen_random_uuid(), 'x', now(), now(), seq FROM todo.spaces""",
        None,
    ),
    "tag a task outside": (
        "INSERT INTO todo.task_tags SELECT current_setting('app.space')::uuid, 1, 'agent'",
        None,
    ),
    "untag a task outside": ("SELECT todo.remove_tags('{1}', '{secretmark}')", None),
    "link to a task outside": ("INSERT INTO todo.links SELECT current_setting('app.space')::uuid, 2, 3", None),
    "comment on a task outside": (
        """INSERT INTO todo.comments (space_id, number, id, text)
           SELECT current_setting('app.space')::uuid, 1, gen_random_uuid(), 'x'""",
        None,
    ),
    "journal a change of a task outside": (
        """INSERT INTO todo.changes (space_id, seq, request_hash, verb, request, before, after)
           SELECT id, seq + 1, '\\x00', 'EditTasks', '{}', '[{"number": 1}]', '[{"number": 1, "tags": ["agent"]}]'
             FROM todo.spaces""",
        None,
    ),
    "widen the own token": ("UPDATE todo.tokens SET reach = NULL", None),
    "read another token": ("SELECT hash FROM todo.tokens", None),
    "propose without the right": (
        """INSERT INTO todo.proposals (space_id, id, verb, arguments, before, after, expires_at)
           SELECT id, gen_random_uuid(), 'EditTasks', '{}', '[]', '[]', now() FROM todo.spaces""",
        None,
    ),
    "decide a proposal": ("SELECT * FROM todo.decide_proposal(gen_random_uuid(), 'approved', NULL)", 0),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_sql_of_a_server_with_a_limited_token_changes_nothing_outside(world: World, attack: str) -> None:
    statement, rows = ATTACKS[attack]
    before = read_outside(world)
    with closing(_as_server(world, world.token, LIMITED)) as connection:
        connection.autocommit = False
        try:
            found = connection.execute(statement.encode())
            assert found.rowcount == rows or attack == "untag a task outside"
            connection.commit()
        except psycopg.Error as error:
            assert rows is None, error  # noqa: PT017  # either outcome may be right
            assert error.sqlstate in ("42501", "TD403")  # noqa: PT017
    assert read_outside(world) == before


@pytest.mark.parametrize(
    "limits",
    [
        {"reach": None, "filter": None, "verbs": None, "scopes": ["all"]},
        {"verbs": ["EditTasks", "CreateToken"]},
        {"scopes": ["read", "tasks:write", "approve"]},
        {"per_minute": 9_999, "scopes": ["all"]},
    ],
    ids=lambda limits: ",".join(limits),
)
def test_row_of_a_child_token_is_bounded_whatever_is_inserted(world: World, limits: dict[str, Any]) -> None:
    with closing(Line(world.db.server_url, world.who)) as line:
        scopes = ("read", "tasks:write", "tokens:write")
        parent = create_limited_token(line, filter="@agent", verbs=("CompleteTasks",), per_minute=600, scopes=scopes)
    row = {"scopes": ["read"], "reach": '["and", []]', "filter": None, "verbs": None, "per_minute": None} | limits
    columns = ", ".join(row)
    with closing(_as_server(world, parent, LIMITED)) as connection:
        insert = f"""INSERT INTO todo.tokens (user_id, id, name, hash, {columns})
            VALUES (%s, gen_random_uuid(), %s, sha256(%s::bytea), {", ".join(["%s"] * len(row))})"""
        values = [world.who.user_id, new_id(), new_id(), *row.values()]
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(insert.encode(), values)
        assert caught.value.sqlstate in ("TD403", "23514")
