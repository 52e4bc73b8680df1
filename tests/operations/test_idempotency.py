"""Idempotency keys over both clients: a write with the same key acts once, for ever."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, ListTasks, NewTask, ReopenTasks
from todo_cli.contract.tokens import CreateToken, RevokeToken
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, Invalid

NAME = "rotten ключ / 100%"


def shared_space(db: Database, *members: Person, role: str = "editor") -> str:
    """Return a space with several members."""
    space = str(uuid4())
    db.execute("INSERT INTO todo.spaces (id, name) VALUES (%s, 'team')", space)
    for member in members:
        db.execute(
            "INSERT INTO todo.members (space_id, user_id, role) VALUES (%s, %s, %s)", space, member.user_id, role
        )
    return space


def test_add_with_known_key_answers_again(ask: Ask) -> None:
    made = ask(AddTask(title="a", due="2030-01-02", tags=("b", "a")), key=NAME)
    assert made.new is True
    ask(EditTasks(numbers=(1,), title="later"))
    ask(DeleteTasks(numbers=(1,)))
    again = ask(AddTask(title="a", due="2030-01-02", tags=("b", "a")), key=NAME)
    assert again.new is False
    assert {**_fields(again), "new": True} == _fields(made), "the answer of then, from the journal"
    assert ask(ListTasks(status="all")).tasks == (ask(ListTasks(status="deleted")).tasks[0],)
    assert [change.seq for change in ask(ListChanges()).changes] == [3, 2, 1]


def _fields(it: Any) -> dict[str, Any]:
    return {name: getattr(it, name) for name in it.__struct_fields__}


WRITES: tuple[tuple[Request[Any], Request[Any]], ...] = (
    (
        AddTasks(tasks=(NewTask(title="a"), NewTask(title="b"))),
        AddTasks(tasks=(NewTask(title="b"), NewTask(title="a"))),
    ),
    (CompleteTasks(numbers=(1,)), CompleteTasks(numbers=(2,))),
    (CompleteTasks(numbers=(1,)), ReopenTasks(numbers=(1,))),
    (ReopenTasks(numbers=(1, 2)), ReopenTasks(numbers=(2, 1))),
    (EditTasks(numbers=(1,), note=None), EditTasks(numbers=(1,), project=None)),
    (EditTasks(numbers=(1,), title="x"), EditTasks(numbers=(1,), title="x", if_rev=2)),
    (DeleteTasks(numbers=(1,)), DeleteTasks(numbers=(1, 2))),
    (RestoreTasks(numbers=(1,)), RestoreTasks(numbers=(2,))),
)


@pytest.mark.parametrize(("one", "other"), WRITES)
def test_write_with_known_key_acts_once_and_refuses_other_content(
    ask: Ask, one: Request[Any], other: Request[Any]
) -> None:
    ask.add_all("a", "b")
    first = ask(one, key="k")
    again = ask(one, key="k")
    assert (first.new, again.new) == (True, False)
    assert {**_fields(again), "new": True} == _fields(first)
    with pytest.raises(Conflict, match="the key 'k' was used for another request"):
        ask(other, key="k")
    assert [change.seq for change in ask(ListChanges()).changes] == [2, 1]


def test_known_key_of_a_write_that_would_be_refused_answers_again(ask: Ask) -> None:
    made = ask.add("a")
    edit = EditTasks(numbers=(1,), title="b", if_rev=made.rev)
    first = ask(edit, key="k")
    ask(DeleteTasks(numbers=(1,)))
    again = ask(edit, key="k")
    assert (again.new, again.tasks) == (False, first.tasks)


def test_refused_write_leaves_its_key_unused(ask: Ask) -> None:
    ask.add("a")
    with pytest.raises(Conflict):
        ask(EditTasks(numbers=(1,), title="b", if_rev=9), key="k")
    assert ask(CompleteTasks(numbers=(1,)), key="k").new is True


def test_undo_and_redo_with_known_key_answer_again(ask: Ask) -> None:
    ask.add_all("a", "b")
    ask(CompleteTasks(numbers=(1,)))
    for request, status in ((Undo(), "open"), (Redo(), "done")):
        first = ask(request, key=type(request).__name__)
        again = ask(request, key=type(request).__name__)
        assert (first.new, again.new) == (True, False)
        assert (again.seq, again.differences) == (first.seq, first.differences)
        assert ask.show(1).status == status
    with pytest.raises(Conflict, match="was used for another request"):
        ask(Undo(partial=True), key="Undo")


def test_token_is_created_and_revoked_once_per_key(ask: Ask) -> None:
    create = CreateToken(id=new_id(), hash="a" * 64, name="cron", scopes=("all",))
    assert ask(create, key="k") == ask(create, key="k")
    with pytest.raises(Conflict):
        ask(CreateToken(id=new_id(), hash="b" * 64, name="cron", scopes=("all",)), key="k")
    with pytest.raises(Conflict, match="the key 'k' was used"):
        ask(CreateToken(id=create.id, hash="b" * 64, name="cron", scopes=("all",)), key="k")
    gone = ask(RevokeToken(name="cron"), key="r")
    assert gone.revoked_at is not None
    assert ask(RevokeToken(name="cron"), key="r") == gone


def test_equal_keys_of_two_members_or_spaces_are_separate(db: Database, ask_as: AskAs) -> None:
    ada, grace = db.person(), db.person()
    space = shared_space(db, ada, grace)
    in_team = [ask_as(who, space=space) for who in (ada, grace)]
    assert [ask(AddTask(title=ask.who.name), key="k").number for ask in in_team] == [1, 2]
    at_home = ask_as(ada)(AddTask(title="home"), key="k")
    assert (at_home.number, at_home.new) == (1, True)
    for ask in in_team:
        again = ask(AddTask(title=ask.who.name), key="k")
        assert (again.title, again.new) == (ask.who.name, False)
    assert [task.title for task in in_team[0](ListTasks(sort="created")).tasks] == [ada.name, grace.name]


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "\0", "\udce4"])
def test_invalid_key_is_refused_by_both_clients(ask: Ask, key: str) -> None:
    with pytest.raises(Invalid, match="key"):
        ask(AddTask(title="a"), key=key)
    assert ask(ListTasks()).tasks == ()


def test_longest_key_is_accepted(ask: Ask) -> None:
    key = "ключ" * 50
    assert [ask(AddTask(title="a"), key=key).new for _ in range(2)] == [True, False]


def test_add_repeated_after_its_reminder_has_passed_answers_as_before(ask: Ask) -> None:
    """The key is looked up before the time is checked: an answer that was lost can be asked for again."""
    soon = datetime.now(UTC) + timedelta(seconds=1)
    request = AddTask(title="call", remind=(soon.isoformat(),))
    added = ask(request, key="once")
    time.sleep(1.2)
    again = ask(request, key="once")
    assert (again.number, again.new) == (added.number, False)
    for passed in (request, EditTasks(numbers=(1,), remind=request.remind or ())):
        with pytest.raises(Invalid, match="has passed already"):
            ask(passed, key=new_id())
