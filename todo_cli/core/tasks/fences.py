"""Fences: the number of a task's last claim, by which a write of a worker that has lost its claim is refused.

The fence is the seq of the change that gave the claim, so it only grows, and no two claims of a space share one. A worker
that names fences may write only to tasks whose fence is among them, or that nobody has ever claimed. A worker that names
none is refused where others have taken its claim of the task over or released it: the row lists the tokens. A task that
another user finishes or deletes gets a new fence too, and its worker's token stays welcome.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from todo_cli.core.local_time import format_local_time
from todo_cli.core.tasks.load import Loaded
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.errors import Conflict


def raise_for_lost_fences(rows: Iterable[TaskRow], loaded: Loaded, fences: Sequence[int]) -> None:
    """Raise Conflict where the caller has lost its claim of a task."""
    lost = [row for row in rows if _has_lost(row, loaded.token_id, fences)]
    if not lost:
        return
    first = lost[0]
    raise Conflict(
        f"your claim of task #{first.number} was lost: {describe_claim(first, loaded.zone)}; nothing was changed",
        hint=f"look at it with: todo show {first.number}, and take other work with: todo claim --next",
        numbers=[row.number for row in lost],
        fence=first.fence,
    )


def _has_lost(row: TaskRow, token_id: str | None, fences: Sequence[int]) -> bool:
    if row.fence is None:
        return False
    return row.fence not in fences if fences else token_id in (row.lost_claims or ())


def give_claim(row: TaskRow, loaded: Loaded, claim: dict[str, Any]) -> TaskRow:
    """Return the row with a new claim of the caller, which has a fence of its own."""
    return _forgive(replace(row, **claim, fence=loaded.seq + 1), loaded)


def end_claims_of_others(row: TaskRow, before: TaskRow, loaded: Loaded) -> TaskRow:
    """Return a changed row, with a new fence where the change takes or ends the claim of another token."""
    if before.claim_token in (None, loaded.token_id, row.claim_token):
        return row
    if row.status != "open":
        return replace(row, fence=loaded.seq + 1)
    tokens = (*(row.lost_claims or ()), before.claim_token)
    return replace(row, fence=loaded.seq + 1, lost_claims=tuple(dict.fromkeys(tokens)))


def accept_fence(row: TaskRow, loaded: Loaded, fences: Sequence[int]) -> TaskRow:
    """Return a changed row; a caller that has named the fence knows of the loss, and may then write without it too."""
    return _forgive(row, loaded) if row.fence in fences else row


def _forgive(row: TaskRow, loaded: Loaded) -> TaskRow:
    if loaded.token_id not in (row.lost_claims or ()):
        return row
    tokens = tuple(token for token in row.lost_claims or () if token != loaded.token_id)
    return replace(row, lost_claims=tokens or None)


def describe_claim(row: TaskRow, zone: str) -> str:
    """Return `claimed by ada until 10:15`, or `claimed by nobody`."""
    if row.claimed_by is None:
        return "claimed by nobody"
    until = f" until {format_local_time(row.claimed_until, zone)}" if row.claimed_until else ""
    return f"claimed by {row.claimed_by}{until}"
