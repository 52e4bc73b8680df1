"""No token acts on a task by its number beyond its limits: each field of each Request that names a task is tried.

The owner's own token then sends the same Request with success, so that no attempt was refused for another reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import pytest

from tests.conftest import Database
from tests.support.connections import Line
from tests.support.limited_tokens import create_limited_token
from tests.support.minimal_requests import make_requests
from tests.support.task_number_requests import TAKES_NUMBER, NamedTask, find_number_fields, prepare
from todo_cli.contract.base import Request
from todo_cli.contract.codec import encode
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import ImportTasks, TaskToImport
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.registry import REQUESTS
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.tokens import LIMITED_SCOPES
from todo_cli.core.history.proposals import PROPOSABLE
from todo_cli.errors import Bug, NotAllowed, NotFound, Proposed, TodoError

TABLES = ("tasks", "task_tags", "links", "comments", "attachments", "attachment_chunks", "views", "plans", "jobs")
OUT_OF_REACH = {"AnswerTurn.only[].numbers[]": "a token with limits has no scope for the chat"}
PLACES = {"DiffTasks.after": "where a page begins: it names no task"}


class World(NamedTuple):
    """A user's connection through the login of the servers, with a token for some tasks and one that proposes."""

    db: Database
    line: Line
    limited: str
    proposing: str

    def name_task(self, needs: str) -> NamedTask:
        """Add a task outside the filter in the state that an example needs, and one inside."""
        number = self.line(AddTask(title="secretmark")).number
        other = self.line(AddTask(title="inside", tags=("agent",))).number
        return prepare(self.line, number, other, needs)

    def read_all(self) -> list[tuple[Any, ...]]:
        """Return all that tokens of the user could have changed."""
        rows = " UNION ALL ".join(
            f"SELECT '{table}', to_jsonb(t) FROM todo.{table} t WHERE space_id = %(me)s" for table in TABLES
        )
        return self.db.execute(f"{rows} ORDER BY 1, 2".replace("%(me)s", f"'{self.line.who.user_id}'"))


@pytest.fixture(scope="module")
def world(db: Database) -> Iterator[World]:
    with closing(Line(db.server_url, db.person())) as line:
        limited = create_limited_token(line, filter="@agent", scopes=LIMITED_SCOPES)
        proposing = create_limited_token(line, proposes=True, scopes=LIMITED_SCOPES)
        yield World(db, line, limited, proposing)


def test_each_field_that_names_a_task_has_an_example() -> None:
    found = {name: kind for kind, name in find_number_fields()}
    assert found.keys() == TAKES_NUMBER.keys() | OUT_OF_REACH.keys() | PLACES.keys()
    assert all(found[name].scope not in ("any", "read", *LIMITED_SCOPES) for name in OUT_OF_REACH)


@pytest.mark.parametrize("field", TAKES_NUMBER)
def test_limited_token_reaches_no_task_outside_its_filter_by_number(world: World, field: str) -> None:
    example = TAKES_NUMBER[field]
    request = example.make(task := world.name_task(example.needs))
    before = world.read_all()
    answer = send(world, request, world.limited)
    if "remove_after" in field:  # a dependency belongs to the task that waits, which is inside
        before = [row for row in before if row[0] == "tasks" and row[1]["number"] == task.number]
        assert before == [row for row in world.read_all() if row[0] == "tasks" and row[1]["number"] == task.number]
        return
    assert not answer or isinstance(request, ListChanges), answer
    assert world.read_all() == before
    assert "secretmark" not in answer
    own = encode(world.line(example.make(task))).decode()
    if request.write:
        assert world.read_all() != before, own
    else:
        assert own != answer


def send(world: World, request: Request[Any], token: str) -> str:
    """Return the answer as JSON; empty where the Request was refused."""
    try:
        return encode(world.line(request, token=token)).decode()
    except Bug as error:
        raise AssertionError(request) from error
    except (NotFound, NotAllowed):
        return ""


# -- a token that proposes --------------------------------------------------------------------------

OWN_TOKENS = {
    "CreateToken": "creates tokens that only propose, too",
    "RevokeToken": "revokes itself and tokens that it created",
    "SignOut": "ends a session, which has no limits",
}
"""What a proposing token does itself, where its scopes allow it."""
IMPORT = ImportTasks(
    format="csv",
    name="a.csv",
    file="ab" * 32,
    group=new_id(),
    tasks=(TaskToImport(source_id="1", digest="ab" * 16, title="x"),),
)
WRITES = [kind for kind in REQUESTS if kind.write and kind.scope in ("any", *LIMITED_SCOPES)]


@pytest.mark.parametrize("kind", [kind for kind in WRITES if kind.verb not in OWN_TOKENS], ids=lambda kind: kind.verb)
def test_write_of_a_proposing_token_is_proposed_or_refused_with_a_reason(
    world: World, kind: type[Request[Any]]
) -> None:
    """A Request that is added later must be one or the other, or have its reason in OWN_TOKENS."""
    examples = [example for field, example in TAKES_NUMBER.items() if field.startswith(f"{kind.__name__}.")]
    if kind.verb in PROPOSABLE:
        assert examples, "an example in TAKES_NUMBER"
        example = examples[0]
        request = example.make(world.name_task(example.needs))
        expected: type[TodoError] = Proposed
    else:
        request = IMPORT if kind is ImportTasks else next(make_requests(kind, number=1, words="x"))
        expected = NotAllowed
    before = world.read_all()
    with pytest.raises(expected) as caught:
        world.line(request, token=world.proposing, key=new_id())
    assert caught.value.hint
    assert world.read_all() == before
