"""The rule of edits, without a database."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.task_rows import NOW, ROWS, TEXT, make_loaded, make_recurring, make_row
from todo_cli.core.tasks.edit import apply_patch, edit_rows
from todo_cli.core.tasks.load import Wanted
from todo_cli.core.tasks.new_series import NewRepeat
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.task_input import TaskPatch
from todo_cli.errors import Conflict, Invalid, NotFound

TAGS = st.frozensets(TEXT, max_size=4).map(lambda tags: tuple(sorted(tags)))


def edit(row: TaskRow, patch: TaskPatch, **loaded: Any) -> TaskRow:
    changes_links = bool(patch.columns.get("parent") or patch.add_after or patch.after)
    parent = patch.columns.get("parent")
    wanted = Wanted(
        numbers=(row.number,),
        changes_links=changes_links,
        parents=(parent,) if parent else (),
        blockers=patch.add_after,
    )
    [edited] = edit_rows(make_loaded(row, **loaded), wanted, patch).rows
    return edited


@given(ROWS)
def test_empty_patch_leaves_any_row_as_it_is(row: TaskRow) -> None:
    assert apply_patch(row, TaskPatch(columns={})) == row


@given(ROWS, TEXT)
def test_column_is_set_and_the_others_stay(row: TaskRow, title: str) -> None:
    assert apply_patch(row, TaskPatch(columns={"title": title})) == replace(row, title=title)


@given(ROWS, TAGS, TAGS)
def test_tags_are_added_then_removed(row: TaskRow, added: tuple[str, ...], removed: tuple[str, ...]) -> None:
    edited = apply_patch(row, TaskPatch(columns={}, add_tags=added, remove_tags=removed))
    assert edited.tags == tuple(sorted({*row.tags, *added} - {*removed}))
    assert apply_patch(edited, TaskPatch(columns={}, add_tags=added, remove_tags=removed)) == edited


def test_tags_replace_all_before_others_are_added() -> None:
    edited = apply_patch(make_row(tags=("a", "b")), TaskPatch(columns={}, tags=("c",), add_tags=("d",)))
    assert edited.tags == ("c", "d")


def test_too_many_tags_raise_conflict() -> None:
    with pytest.raises(Conflict, match="task #1 would have more than 100 tags"):
        edit(make_row(tags=tuple(map(str, range(100)))), TaskPatch(columns={}, add_tags=("x",)))


def test_change_of_this_occurrence_alone_keeps_the_value_for_the_series() -> None:
    row = make_recurring(title="series", defer_on=date(2026, 1, 2))
    patch = TaskPatch(columns={"title": "this"}, only_here=frozenset({"title", "defer_on"}))
    edited = edit(row, patch)
    assert (edited.title, edited.repeat and edited.repeat.template) == (
        "this",
        {"title": "series", "defer_on": "2026-01-02"},
    )
    again = edit(edited, replace(patch, columns={"title": "this again"}))
    assert again.repeat == edited.repeat, "the series keeps its first value"


def test_change_of_the_series_forgets_the_value_that_was_kept() -> None:
    row = edit(make_recurring(), TaskPatch(columns={"title": "this"}, only_here=frozenset({"title"})))
    edited = edit(row, TaskPatch(columns={"title": "all"}, in_series=frozenset({"title"})))
    assert edited.repeat
    assert edited.repeat.template is None


def test_due_date_of_the_series_moves_its_anchor() -> None:
    columns = {"due_on": date(2030, 5, 6), "due_at": None}
    moved = edit(make_recurring(), TaskPatch(columns=columns, moves_series=True)).repeat
    stayed = edit(make_recurring(), TaskPatch(columns=columns)).repeat
    assert (moved and moved.anchor, moved and moved.slot) == ("2030-05-06", "2030-05-06")
    assert stayed == make_recurring().repeat


def test_new_recurrence_begins_on_the_due_date_or_on_its_first_date() -> None:
    repeat = NewRepeat(rule="FREQ=WEEKLY", from_done=False, zone="UTC", first=date(2030, 1, 1))
    dated = edit(make_row(due_on=date(2026, 12, 1)), TaskPatch(columns={}, repeat=repeat))
    undated = edit(make_row(), TaskPatch(columns={}, repeat=repeat))
    assert (dated.due_on, dated.series, dated.occurrence) == (date(2026, 12, 1), dated.id, 1)
    assert (undated.due_on, undated.repeat and undated.repeat.slot) == (date(2030, 1, 1), "2030-01-01")


def test_recurrence_is_removed_and_the_series_remembered() -> None:
    edited = edit(make_recurring(), TaskPatch(columns={}, repeat=None))
    assert (edited.repeat, edited.series, edited.occurrence) == (None, "series", 1)


def test_unknown_and_trashed_parents_are_refused() -> None:
    patch = TaskPatch(columns={"parent": 7})
    with pytest.raises(NotFound, match="task #7 does not exist"):
        edit(make_row(), patch)
    with pytest.raises(Conflict, match="task #7 is in the trash"):
        edit(make_row(), patch, statuses=[(7, "deleted")])
    assert edit(make_row(), patch, statuses=[(7, "open")], ancestors=[(7, None)]).parent == 7


def test_parent_below_the_task_is_refused() -> None:
    with pytest.raises(Invalid, match="task #1 would be a subtask of itself"):
        edit(
            make_row(), TaskPatch(columns={"parent": 7}), statuses=[(7, "open")], ancestors=[(7, 5), (5, 1), (1, None)]
        )


def test_blocker_that_waits_for_the_task_is_refused() -> None:
    with pytest.raises(Invalid, match="task #1 would wait for itself"):
        edit(make_row(), TaskPatch(columns={}, add_after=(7,)), statuses=[(7, "open")], dependencies=[(7, 5), (5, 1)])


def test_several_rows_get_the_same_edit_in_the_named_order() -> None:
    rows = [make_row(number) for number in (3, 1, 2)]
    loaded = make_loaded(*sorted(rows, key=lambda row: row.number))
    edits = edit_rows(loaded, Wanted(numbers=(3, 1, 2)), TaskPatch(columns={"started_at": NOW}))
    assert [(row.number, row.started_at) for row in edits.rows] == [(3, NOW), (1, NOW), (2, NOW)]
