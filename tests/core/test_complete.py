"""The rules of completing, reopening and skipping, without a database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET
from msgspec.structs import replace

from tests.support.task_rows import EARLIER, NOW, make_loaded, make_recurring, make_row, want
from todo_cli.contract.tasks import CompleteTasks, ReopenTasks
from todo_cli.contract.time_tracking import SkipTasks
from todo_cli.core.tasks.complete import complete_tasks, reopen_tasks
from todo_cli.core.tasks.next_occurrence import next_occurrence, skip_tasks
from todo_cli.core.tasks.rows import StoredRepeat, TaskRow
from todo_cli.core.tasks.store import Edits
from todo_cli.errors import Conflict, Invalid


def complete(*rows: TaskRow, request: CompleteTasks | None = None, **loaded: Any) -> Edits:
    return complete_tasks(make_loaded(*rows, **loaded), want(*rows), request or CompleteTasks())


def test_complete_open_task_stops_its_clock_and_ends_its_claim() -> None:
    row = make_row(
        started_at=NOW - timedelta(seconds=90), tracked=10, claimed_by="ann", claim_token="t", claimed_until=NOW
    )
    [done] = complete(row).rows
    assert (done.status, done.completed_at, done.started_at, done.tracked) == ("done", NOW, None, 100)
    assert (done.claimed_by, done.claim_token, done.claimed_until) == (None, None, None)


def test_complete_done_task_keeps_its_first_time() -> None:
    done = make_row(status="done", completed_at=EARLIER)
    assert complete(done).rows == [done]


def test_complete_occurrence_creates_the_next() -> None:
    done, following = complete(make_recurring(5, title="water", tags=("home",))).rows
    assert (done.number, done.status) == (5, "done")
    assert (following.number, following.status, following.series, following.occurrence) == (100, "open", "series", 2)
    assert (following.title, following.tags, following.due_on) == ("water", ("home",), NOW.date() + timedelta(days=1))


def test_complete_several_occurrences_numbers_the_next_in_order() -> None:
    rows = [make_recurring(number, series=f"s{number}") for number in (7, 5)]
    edits = complete(*rows)
    assert [(row.number, row.series) for row in edits.rows] == [(7, "s7"), (5, "s5"), (100, "s7"), (101, "s5")]


@pytest.mark.parametrize("status", ["open", "done"])
def test_complete_occurrence_whose_next_exists_creates_none(status: str) -> None:
    following = make_recurring(6, occurrence=2, status=status)
    assert [row.number for row in complete(make_recurring(5), next_occurrences=[following]).rows] == [5]


def test_complete_occurrence_whose_next_is_in_the_trash_restores_it() -> None:
    trashed = make_recurring(6, occurrence=2, status="deleted", deleted_at=EARLIER, title="old", after=(3,))
    _, restored = complete(make_recurring(5, title="new"), next_occurrences=[trashed]).rows
    assert (restored.number, restored.id, restored.status) == (6, trashed.id, "open")
    assert (restored.title, restored.after, restored.created_at) == ("new", (3,), trashed.created_at)


def test_complete_occurrence_whose_trashed_next_would_be_its_own_ancestor_is_refused() -> None:
    trashed = make_recurring(6, occurrence=2, status="deleted")
    with pytest.raises(Invalid, match="task #6 would be a subtask of itself"):
        complete(make_recurring(5, parent=7), next_occurrences=[trashed], ancestors=[(7, 6), (6, None)])


def test_complete_last_occurrence_ends_the_series() -> None:
    repeat = StoredRepeat(
        rule="FREQ=DAILY;COUNT=1", from_done=False, zone="UTC", anchor="2026-11-27", slot="2026-11-27"
    )
    edits = complete(make_recurring(5, repeat=repeat))
    assert (len(edits.rows), edits.ended) == (1, (5,))


def test_complete_reports_open_subtasks_only_where_there_are_some() -> None:
    assert complete(make_row()).open_subtasks is UNSET
    assert complete(make_row(), open_subtasks=2).open_subtasks == 2


def test_complete_if_claimed_by_another_token_is_refused() -> None:
    row = make_row(claimed_by="ann", claim_token="hers", claimed_until=NOW)
    request = CompleteTasks(if_claimed=True)
    with pytest.raises(Conflict, match="no longer yours: it is claimed by ann until 2026-11-27 22:00;"):
        complete(row, request=request, token_id="mine")
    with pytest.raises(Conflict, match="claimed by nobody"):
        complete(make_row(), request=request, token_id="mine")
    assert complete(row, request=request, token_id="hers").rows[0].status == "done"


def test_reopen_done_task_forgets_its_completion() -> None:
    rows = [make_row(1, status="done", completed_at=EARLIER), make_row(2)]
    edits = reopen_tasks(make_loaded(*rows), want(*rows), ReopenTasks())
    assert edits.rows == [make_row(1), make_row(2)]


@given(st.booleans(), st.booleans(), st.booleans(), st.sampled_from(["open", "done", "deleted"]), st.booleans())
def test_reopen_takes_the_next_back_exactly_where_nobody_has_touched_it(
    was_done: bool, is_edited: bool, is_used: bool, status: str, is_named: bool
) -> None:
    row = make_recurring(5, status="done", completed_at=NOW) if was_done else make_recurring(5)
    following = make_recurring(6, occurrence=2, status=status, rev=7, updated_at=EARLIER if is_edited else NOW)
    rows = [row, following] if is_named and status != "deleted" else [row]
    loaded = make_loaded(*rows, next_occurrences=[following], used_occurrences=[6] if is_used else [])
    edits = reopen_tasks(loaded, want(*rows), ReopenTasks())
    is_left_alone = not was_done or status != "open" or following in rows
    taken_back = [row.number for row in edits.rows if row.status == "deleted"]
    assert taken_back == ([] if is_left_alone or is_edited or is_used else [6])
    assert edits.open_next == ((6,) if not is_left_alone and (is_edited or is_used) else UNSET)
    assert len({row.number for row in edits.rows}) == len(edits.rows)


def test_next_occurrence_has_the_values_of_the_series() -> None:
    row = make_recurring(title="this", priority=1)
    assert row.repeat
    row = replace(row, repeat=replace(row.repeat, template={"title": "series", "priority": 4, "note": None}))
    following = next_occurrence(row, NOW)
    assert following
    assert (following.title, following.priority, following.repeat and following.repeat.template) == ("series", 4, None)


def test_next_occurrence_keeps_the_distance_of_its_other_dates() -> None:
    row = make_recurring(defer_on=NOW.date() - timedelta(days=2), scheduled_at=NOW - timedelta(hours=3))
    following = next_occurrence(row, NOW)
    assert following
    assert following.defer_on == NOW.date() - timedelta(days=1)
    assert following.scheduled_at == NOW - timedelta(hours=3) + timedelta(days=1)


def test_next_occurrence_at_the_end_of_the_calendar_has_no_other_dates() -> None:
    row = make_recurring(defer_on=date.max)
    following = next_occurrence(row, NOW)
    assert following
    assert following.defer_on is None


@given(days_late=st.integers(0, 400), interval=st.integers(1, 30))
def test_next_occurrence_lies_behind_this_one_and_has_not_passed(days_late: int, interval: int) -> None:
    slot = (NOW - timedelta(days=days_late)).date().isoformat()
    repeat = StoredRepeat(rule=f"FREQ=DAILY;INTERVAL={interval}", from_done=False, zone="UTC", anchor=slot, slot=slot)
    following = next_occurrence(make_recurring(repeat=repeat), NOW)
    assert following
    assert following.due_on
    assert following.due_on > date.fromisoformat(slot)
    assert following.due_on >= NOW.date()
    assert (following.due_on - date.fromisoformat(slot)).days % interval == 0


def skip(*rows: TaskRow, **loaded: Any) -> list[TaskRow]:
    return skip_tasks(make_loaded(*rows, **loaded), want(*rows), SkipTasks()).rows


def test_skip_occurrence_moves_its_dates_by_one() -> None:
    [row] = skip(make_recurring(due_on=NOW.date(), defer_on=NOW.date()))
    assert (row.due_on, row.defer_on, row.occurrence) == (date(2026, 11, 28), date(2026, 11, 28), 1)
    assert row.repeat
    assert (row.repeat.slot, row.repeat.anchor) == ("2026-11-28", "2026-11-27")


def test_skip_late_occurrence_goes_on_by_one_even_into_the_past() -> None:
    repeat = StoredRepeat(rule="FREQ=DAILY", from_done=False, zone="UTC", anchor="2026-01-01", slot="2026-01-01")
    [row] = skip(make_recurring(due_on=date(2026, 1, 1), repeat=repeat))
    assert row.due_on == date(2026, 1, 2)


def test_skip_timed_occurrence_keeps_its_time_of_day_in_its_zone() -> None:
    slot = datetime(2026, 3, 28, 8, tzinfo=UTC).isoformat()  # 9:00 in Berlin, the day before summer time
    repeat = StoredRepeat(rule="FREQ=DAILY", from_done=False, zone="Europe/Berlin", anchor=slot, slot=slot)
    [row] = skip(make_recurring(due_on=None, due_at=datetime.fromisoformat(slot), repeat=repeat))
    assert row.due_at == datetime(2026, 3, 29, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (make_row(status="done"), "task #1 is done"),
        (make_row(), "task #1 does not recur"),
        (make_recurring(status="deleted"), "in the trash"),
    ],
)
def test_skip_task_that_cannot_be_skipped_raises_conflict(row: TaskRow, message: str) -> None:
    with pytest.raises(Conflict, match=message):
        skip(row)


def test_skip_occurrence_whose_next_exists_raises_conflict() -> None:
    with pytest.raises(Conflict, match="the occurrence after #1 exists already: #6"):
        skip(make_recurring(), next_occurrences=[make_recurring(6, occurrence=2)])
