"""What was loaded for a change, as the earlier changes of the same transaction leave it."""

from __future__ import annotations

from msgspec.structs import replace

from tests.core.test_undo import STAMP
from tests.support.task_rows import NOW, make_row
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import DecidedChange, Edits, build_store, decide_change
from todo_cli.core.tasks.working_set import rebase


def make_loaded(*rows: TaskRow, seq: int = 5, next_number: int = 20) -> Loaded:
    return Loaded(seq=seq, next_number=next_number, now=NOW, rows=list(rows))


def change_row(loaded: Loaded, row: TaskRow) -> DecidedChange:
    return decide_change(STAMP, loaded, Edits(rows=[row]))


def test_rebase_without_earlier_changes_is_the_same_object() -> None:
    loaded = make_loaded(make_row())
    assert rebase(loaded, Wanted(numbers=(1,)), []) is loaded


def test_rebase_has_the_rows_seq_and_number_of_the_earlier_change() -> None:
    row = make_row(title="a")
    first = change_row(make_loaded(row), replace(row, title="b"))
    added = decide_change(STAMP, make_loaded(), Edits(rows=[make_row(20)]))
    assert rebase(make_loaded(row), Wanted(numbers=(1,)), [first]).rows == first.rows
    again = rebase(make_loaded(), Wanted(numbers=(20,)), [first, added])
    assert ([row.number for row in again.rows], again.next_number) == ([20], 21)
    assert rebase(make_loaded(row), Wanted(numbers=(1,)), [first]).seq == first.seq == 6


def test_rebase_knows_the_next_occurrence_that_was_just_added() -> None:
    row = make_row(series="s", occurrence=1)
    following = make_row(20, series="s", occurrence=2)
    completed = decide_change(STAMP, make_loaded(row), Edits(rows=[replace(row, status="done"), following]))
    again = rebase(make_loaded(row), Wanted(numbers=(1,)), [completed])
    assert [row.number for row in again.next_occurrences] == [20]


def test_rebase_has_new_parents_and_blockers() -> None:
    row = make_row(1, after=(3,))
    moved = change_row(make_loaded(row), replace(row, parent=2, after=(4,)))
    loaded = make_loaded()
    loaded.ancestors, loaded.dependencies = [(5, None), (1, None)], [(1, 3), (5, 1)]
    again = rebase(loaded, Wanted(parents=(1,), blockers=(1,)), [moved])
    assert dict(again.ancestors) == {5: None, 1: 2}
    assert again.dependencies == [(1, 4), (5, 1)]
    assert again.statuses == [(1, "open")]


def test_build_store_of_two_changes_writes_a_row_once_and_both_journal_rows() -> None:
    row = make_row(title="a")
    first = change_row(make_loaded(row), replace(row, title="b"))
    second = change_row(rebase(make_loaded(row), Wanted(numbers=(1,)), [first]), replace(first.rows[0], title="c"))
    calls = build_store([first, second])
    assert [list(values["numbers"]) for _, values in calls if "numbers" in values] == [[1]]
    assert [values["seq"] for _, values in calls if "verb" in values] == [6, 7]
    assert ('"title":"b"' in calls[-1][1]["before"], '"title":"c"' in calls[-1][1]["after"]) == (True, True)
