"""Any writes are undone and redone."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Database
from tests.operations.test_journal import changes
from tests.support.ask import Ask, AskAs
from tests.support.task_contents import contents
from todo_cli.contract.base import Request
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tasks import AddTask, AddTasks, CompleteTasks, EditTasks, NewTask, ReopenTasks, ShowTask
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import TodoError

NUMBERS = st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple)
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from("abc"),
        "note": st.sampled_from([None, "n"]),
        "project": st.sampled_from([None, "p", "q"]),
        "due": st.sampled_from([None, "2030-01-01", "2030-01-01 12:00"]),
        "priority": st.sampled_from([None, 1, 3]),
        "tags": st.sampled_from([(), ("x",), ("x", "y")]),
        "add_tags": st.just(("z",)),
        "remove_tags": st.just(("x",)),
    },
).filter(bool)
NEW = st.builds(NewTask, title=st.sampled_from("de"), tags=st.sampled_from([(), ("x",)]))
WRITES: st.SearchStrategy[Request[Any]] = st.one_of(
    st.builds(AddTasks, tasks=st.lists(NEW, min_size=1, max_size=2).map(tuple)),
    *(st.builds(kind, numbers=NUMBERS) for kind in (CompleteTasks, ReopenTasks, DeleteTasks, RestoreTasks)),
    st.builds(lambda numbers, fields: EditTasks(numbers=numbers, **fields), NUMBERS, FIELDS),
    st.builds(Undo),
)


def _run(ask: Ask, writes: list[Request[Any]]) -> int:
    """Do what can be done; how many of the changes stand that an undo could take back."""
    standing = 0
    for write in writes:
        if isinstance(write, Undo):
            if standing:
                ask(write)
                standing -= 1
            continue
        try:
            ask(write)
        except TodoError:
            continue
        standing += bool(changes(ask, limit=1)[0].differences)
    return standing


def sequences(db: Database, ask_as: AskAs, writes: list[Request[Any]]) -> None:
    """Undoing every write brings each task's content back, those added in the bin; redoing brings all of it again."""
    ask = ask_as(db.person())
    with closing(ask.backend):  # a person an example: their connections would be more than there are
        undone_and_redone(ask, writes)


def undone_and_redone(ask: Ask, writes: list[Request[Any]]) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title=title, tags=("x",)) for title in "vwxyz")))
    ask(CompleteTasks(numbers=(4,)))
    ask(DeleteTasks(numbers=(5,)))
    before = contents(ask)
    count = _run(ask, writes)
    after = contents(ask)
    for _ in range(count):
        ask(Undo())
    back = contents(ask)
    assert {number: back[number] for number in before} == before
    assert {back[number]["status"] for number in back.keys() - before.keys()} <= {"deleted"}
    for _ in range(count):
        ask(Redo())
    assert contents(ask) == after


def test_undo_after_an_edit_without_effect_takes_back_the_change_before(ask: Ask) -> None:
    ask(AddTask(title="Dentist"))
    for _ in range(2):
        ask(EditTasks(numbers=(1,), due="2030-01-01 12:00"))
    ask(Undo())
    assert ask(ShowTask(number=1)).due is None


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=st.lists(WRITES, min_size=3, max_size=12))
def test_any_writes_undone_and_redone(db: Database, ask_as: AskAs, writes: list[Request[Any]]) -> None:
    sequences(db, ask_as, writes)


@pytest.mark.long
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(writes=st.lists(WRITES, min_size=3, max_size=40))
def test_any_long_writes_undone_and_redone(db: Database, ask_as: AskAs, writes: list[Request[Any]]) -> None:
    sequences(db, ask_as, writes)
