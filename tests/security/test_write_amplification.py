"""What a small request can make the database write and the server answer, over both clients."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from tests.conftest import Database
from tests.support.ask import Ask
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.limits import MAX_FULL_TASKS
from todo_cli.contract.plans import ApplyPlan, MakePlan
from todo_cli.contract.tasks import AddTasks, EditTasks, NewTask
from todo_cli.errors import Conflict, Invalid

TASKS = 40
NOTE_BYTES = 97_000
ROWS_BYTES = TASKS * NOTE_BYTES
SMALL_BYTES = 1_000_000  # the rows, index entries and whole pages of 40 tasks, and one note


def make_note() -> str:
    """Return a note that Postgres cannot compress, in long words."""
    return secrets.token_hex(NOTE_BYTES // 2)


def count_written_bytes(db: Database) -> int:
    """Return how far the database's log of all writes has come."""
    [(position,)] = db.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
    return int(position)


def count_bytes(answer: object) -> int:
    return len(msgspec.json.encode(answer))


def test_note_of_many_tasks_is_journaled_once_and_answered_briefly(ask: Ask, db: Database) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title=f"t{place}") for place in range(TASKS))))
    note = make_note()
    numbers = tuple(range(1, TASKS + 1))

    start = count_written_bytes(db)
    changed = ask(EditTasks(numbers=numbers, note=note), "k")
    assert count_written_bytes(db) - start < ROWS_BYTES + SMALL_BYTES
    assert count_bytes(changed) < 50_000
    assert count_bytes(ask(EditTasks(numbers=numbers, note=note), "k")) < 50_000

    start = count_written_bytes(db)
    ask(EditTasks(numbers=numbers, priority=1))
    plan = ask(MakePlan(id=new_id(), operation="EditTasks", arguments={"numbers": numbers, "priority": 2}))
    ask(ApplyPlan(id=plan.id))
    assert count_written_bytes(db) - start < SMALL_BYTES, "a note that stays is written nowhere"

    start = count_written_bytes(db)
    plan = ask(MakePlan(id=new_id(), operation="EditTasks", arguments={"numbers": numbers[:21], "note": make_note()}))
    assert count_written_bytes(db) - start < SMALL_BYTES
    assert count_bytes(plan) < 50_000 + NOTE_BYTES, "its arguments have the note once"

    assert ask(Undo()).changes == (4,)
    assert ask.show(7).note == note
    ask(Undo())
    undone = ask(Undo())
    assert (count_bytes(undone) < 100_000, ask.show(7).note, ask.show(TASKS).note) == (True, None, None)
    ask(Redo())
    assert ask.show(TASKS).note == note
    assert count_bytes(ask(ListChanges())) < 150_000
    [latest, *_] = ask(ListChanges(number=7)).changes
    assert latest.differences[0].fields["note"] == (None, note), "the log of one task has the whole text"


def test_note_of_too_many_tasks_is_refused_everywhere(ask: Ask) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title=f"t{place}") for place in range(300))))
    edit = {"numbers": tuple(range(1, 301)), "note": make_note()}
    for request in (EditTasks(**edit), MakePlan(id=new_id(), operation="EditTasks", arguments=edit)):
        with pytest.raises(Invalid, match=r"would replace 27\.8 MB of text in 300 tasks; at most 4 MB"):
            ask(request)
    assert len(ask(ListChanges()).changes) == 1


@pytest.mark.parametrize("count", [1, MAX_FULL_TASKS])
def test_few_tasks_are_answered_whole_again(ask: Ask, count: int) -> None:
    note = make_note()
    ask(AddTasks(tasks=tuple(NewTask(title=f"t{place}", note=note) for place in range(count))))
    edit = EditTasks(numbers=tuple(range(1, count + 1)), project="p")
    first = ask(edit, "k")
    again = ask(edit, "k")
    assert {task.note for task in first.tasks} == {note}
    assert again.tasks == first.tasks
    ask(EditTasks(numbers=(1,), note="short"))
    assert msgspec.UNSET is ask(edit, "k").tasks[0].note, "the journal has no copy of a note that stayed"


def test_conflict_names_a_long_note_that_changed(ask: Ask) -> None:
    first, second = make_note(), make_note()
    ask.add("a", note="n")
    rev = ask(EditTasks(numbers=(1,), note=first)).seq
    ask(EditTasks(numbers=(1,), note=second))
    with pytest.raises(Conflict) as caught:
        ask(EditTasks(numbers=(1,), note="x", if_rev=rev))
    assert caught.value.extra["changed"] == {"note": [first, second]}
