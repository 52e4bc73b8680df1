"""The rules of claiming, releasing, starting, stopping, deleting and restoring, without a database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.task_rows import EARLIER, NOW, ROWS, make_loaded, make_row, want
from todo_cli.contract.claims import ClaimTask, ReleaseTasks
from todo_cli.contract.time_tracking import StartTasks, StopTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.core.tasks.claim import claim_task, release_tasks
from todo_cli.core.tasks.load import TaskFilter, Wanted
from todo_cli.core.tasks.load_sql import TargetSql
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.time_tracking import STARTED, start_tasks, stop_tasks
from todo_cli.core.tasks.trash import delete_tasks, restore_tasks
from todo_cli.errors import Conflict, NotAllowed, NotFound, NotNow

SECOND = timedelta(seconds=1)
CALLER: dict[str, Any] = {"token_id": "mine", "user_name": "me"}


def claimed(seconds: int, token: str = "hers") -> TaskRow:
    """Return a task that is claimed for so many seconds from now."""
    return make_row(claimed_by="ann", claim_token=token, claimed_until=NOW + seconds * SECOND)


def claim(row: TaskRow, lease: int = 900) -> TaskRow:
    [changed] = claim_task(make_loaded(row, **CALLER), want(row), ClaimTask(lease=lease)).rows
    return changed


@given(st.integers(-1_000, 1_000), st.sampled_from(["mine", "hers"]), st.integers(1, 1_000))
def test_claim_takes_what_is_free_expired_or_ones_own(seconds: int, token: str, lease: int) -> None:
    row = claimed(seconds, token)
    if seconds > 0 and token != "mine":
        with pytest.raises(Conflict, match="task #1 is claimed by ann until"):
            claim(row, lease)
    else:
        changed = claim(row, lease)
        assert (changed.claimed_by, changed.claim_token) == ("me", "mine")
        assert changed.claimed_until == NOW + lease * SECOND


@pytest.mark.parametrize(("status", "message"), [("done", "is done"), ("deleted", "is in the trash")])
def test_claim_of_a_closed_task_raises_conflict(status: str, message: str) -> None:
    with pytest.raises(Conflict, match=message):
        claim(make_row(status=status))


def test_claim_where_nothing_is_free_raises_not_now() -> None:
    wanted = Wanted(filter=TaskFilter(TargetSql("true", first=True), {}, ""))
    with pytest.raises(NotNow, match="nothing to claim"):
        claim_task(make_loaded(found=0, **CALLER), wanted, ClaimTask())


def test_release_ends_ones_own_claims_and_leaves_free_tasks() -> None:
    rows = [claimed(10, "mine"), make_row(2)]
    assert release_tasks(make_loaded(*rows, **CALLER), want(*rows), ReleaseTasks()).rows == [make_row(1), make_row(2)]


def test_release_of_anothers_claim_needs_force_and_all_scopes() -> None:
    row = claimed(10)
    with pytest.raises(Conflict, match="task #1 is claimed by ann"):
        release_tasks(make_loaded(row, **CALLER), want(row), ReleaseTasks())
    with pytest.raises(NotAllowed, match="may not release the claims of others"):
        release_tasks(make_loaded(row, **CALLER), want(row), ReleaseTasks(force=True))
    edits = release_tasks(make_loaded(row, has_all_scopes=True, **CALLER), want(row), ReleaseTasks(force=True))
    assert edits.rows == [make_row()]


def test_start_keeps_a_running_clock() -> None:
    rows = [make_row(1, started_at=EARLIER), make_row(2)]
    started = start_tasks(make_loaded(*rows), want(*rows), StartTasks()).rows
    assert [row.started_at for row in started] == [EARLIER, NOW]


@given(st.integers(-100, 100_000), st.integers(0, 1_000))
def test_stop_adds_the_time_since_the_start(seconds: int, tracked: int) -> None:
    row = make_row(started_at=NOW - seconds * SECOND, tracked=tracked)
    [stopped] = stop_tasks(make_loaded(row), want(row), StopTasks()).rows
    assert (stopped.started_at, stopped.tracked) == (None, tracked + max(0, seconds))
    assert stop_tasks(make_loaded(stopped), want(stopped), StopTasks()).rows == [stopped]


def test_stop_without_numbers_stops_all_in_the_order_of_their_start() -> None:
    rows = [make_row(1, started_at=NOW - SECOND), make_row(2, started_at=EARLIER)]
    stopped = stop_tasks(make_loaded(*rows, found=2), Wanted(filter=STARTED), StopTasks()).rows
    assert [row.number for row in stopped] == [2, 1]
    with pytest.raises(NotFound, match="no task is started"):
        stop_tasks(make_loaded(found=0), Wanted(filter=STARTED), StopTasks())


@given(ROWS)
def test_delete_then_restore_brings_the_status_back(row: TaskRow) -> None:
    [deleted] = delete_tasks(make_loaded(row), want(row), DeleteTasks()).rows
    assert (deleted.status, deleted.started_at, deleted.claim_token) == ("deleted", None, None)
    [restored] = restore_tasks(make_loaded(deleted), want(deleted), RestoreTasks()).rows
    assert restored.status == ("done" if row.completed_at else "open")
    assert restore_tasks(make_loaded(restored), want(restored), RestoreTasks()).rows == [restored]
