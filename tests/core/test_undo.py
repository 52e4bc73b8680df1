"""The rule of undo and redo, without a database: which tasks have moved on, and what the others become."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from tests.support.task_rows import NOW, make_row
from todo_cli.contract.journal import Redo, Undo
from todo_cli.core.history.load_changes import LoadedChanges, StoredChange
from todo_cli.core.history.undo import content, invert, merge_changes
from todo_cli.core.journal import Stamp
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import decide_change
from todo_cli.errors import Conflict, NotFound

STAMP = Stamp("Undo", "{}", b"", None, None)


def make_change(seq: int, before: list[TaskRow], after: list[TaskRow], head: int | None = None) -> StoredChange:
    return StoredChange(seq=seq, head=head or seq, before=to_builtins(before), after=to_builtins(after))


def make_loaded(changes: list[StoredChange], rows: list[TaskRow], **members: Any) -> LoadedChanges:
    return LoadedChanges(seq=9, next_number=10, now=NOW, changes=changes, rows=rows, **members)


def test_invert_edited_task_has_its_former_content() -> None:
    before, after = make_row(note="old", tags=("x",)), make_row(title="new", rev=2)
    [row] = invert(make_loaded([make_change(2, [before], [after])], [after]), Undo(), "undo").rows
    assert content(row) == content(before)
    assert row.rev == 2, "the rev of the row as it is now: storing gives the next one"


def test_invert_added_task_goes_to_the_trash() -> None:
    added = make_row(started_at=NOW - timedelta(minutes=5))
    [row] = invert(make_loaded([make_change(2, [], [added])], [added]), Undo(), "undo").rows
    assert (row.status, row.started_at, row.tracked) == ("deleted", None, 300)


def test_invert_claimed_task_keeps_its_claim() -> None:
    before, after = make_row(title="old"), make_row(title="new", claimed_by="ann", claim_token="t", claimed_until=NOW)
    [row] = invert(
        make_loaded([make_change(2, [before], [replace(after, claimed_by=None)])], [after]), Undo(), "undo"
    ).rows
    assert (row.title, row.claimed_by) == ("old", "ann")


def test_invert_task_changed_since_raises_conflict() -> None:
    before, after = make_row(title="a"), make_row(title="b")
    loaded = make_loaded([make_change(2, [before], [after])], [replace(after, title="c")])
    with pytest.raises(Conflict, match=r"cannot undo: #1 c has changed since") as caught:
        invert(loaded, Undo(), "undo")
    assert caught.value.extra["moved"] == (1,)
    with pytest.raises(Conflict):
        invert(loaded, Undo(partial=True), "undo")


def test_invert_partial_leaves_changed_tasks_alone() -> None:
    before = [make_row(1, title="a"), make_row(2, title="b")]
    after = [replace(row, title=row.title.upper(), rev=2) for row in before]
    loaded = make_loaded([make_change(2, before, after)], [after[0], replace(after[1], note="since")])
    inversion = invert(loaded, Undo(partial=True), "undo")
    assert ([row.title for row in inversion.rows], inversion.skipped) == (["a"], (2,))


def test_invert_task_changed_and_changed_back_is_as_the_change_left_it() -> None:
    before, after = make_row(title="a"), make_row(title="b", rev=2)
    loaded = make_loaded([make_change(2, [before], [after])], [replace(after, rev=7, updated_at=NOW)])
    assert [row.title for row in invert(loaded, Undo(), "undo").rows] == ["a"]


@pytest.mark.parametrize(
    ("members", "reason"),
    [({"is_undone": True}, "undone already"), ({"has_newer_change": True}, "you have changed something since")],
)
def test_invert_blocked_change_raises_conflict(members: dict[str, bool], reason: str) -> None:
    before, after = make_row(title="a"), make_row(title="b")
    with pytest.raises(Conflict, match=reason):
        invert(make_loaded([make_change(2, [before], [after])], [after], **members), Redo(), "redo")


def test_invert_without_a_change_raises_not_found() -> None:
    with pytest.raises(NotFound, match="there is nothing of yours to undo"):
        invert(make_loaded([], []), Undo(), "undo")
    with pytest.raises(NotFound, match="change 5 does not exist, or changed no tasks"):
        invert(make_loaded([], []), Redo(id=5), "redo")


def test_merge_changes_keeps_the_first_before_and_the_last_after() -> None:
    first, second, third = make_row(title="a"), make_row(title="b"), make_row(title="c")
    merged = merge_changes([make_change(2, [first], [second]), make_change(3, [second], [third], head=2)])
    assert merged == {1: (first, third)}


TITLES = st.sampled_from(["a", "b", "c"])
ROWS = st.builds(
    make_row,
    st.just(1),
    title=TITLES,
    note=st.sampled_from([None, "n"]),
    status=st.sampled_from(["open", "done", "deleted"]),
    tags=st.sampled_from([(), ("x",), ("x", "y")]),
    priority=st.integers(1, 4),
)


@given(before=ROWS, after=ROWS)
def test_invert_twice_is_where_it_began(before: TaskRow, after: TaskRow) -> None:
    if content(before) == content(after):
        return
    loaded = make_loaded([make_change(2, [before], [after])], [after])
    undone = decide_change(STAMP, loaded, invert(loaded, Undo(), "undo"))
    assert content(undone.rows[0]) == content(before)
    again = make_loaded([make_change(10, undone.before, undone.rows, head=2)], undone.rows)
    [row] = invert(again, Redo(), "redo").rows
    assert content(row) == content(after)


def test_merge_changes_row_that_is_no_task_raises_conflict() -> None:
    forged = StoredChange(seq=2, head=2, before=[], after=[{"number": 1, "title": "no task"}])
    with pytest.raises(Conflict, match="the journal has a row that is no task"):
        merge_changes([forged])
