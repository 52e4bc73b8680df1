"""Claim tasks for a worker, renew claims, take them over and release them.

A claim belongs to a token. It lasts until its lease expires, by the database's clock, or until it is released. The
claiming user's name is stored for others to see. The lock on the space makes sure that two workers never claim one task,
and a fence refuses the late writes of a worker that has lost its claim (`fences.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract.claims import ClaimTask, ReleaseTasks, RenewClaims, TakeTask
from todo_cli.core.filters.filter_query import compile_filter, parse_with_views
from todo_cli.core.tasks.change import answer_task, repeat_task, writes
from todo_cli.core.tasks.fences import describe_claim, give_claim
from todo_cli.core.tasks.load import Loaded, TaskFilter, Wanted
from todo_cli.core.tasks.load_sql import TargetSql
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import raise_for_done, read_targets, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.core.validation import check_not_blank
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotNow
from todo_cli.parsing.filter_ast import FieldTerm, make_and

READY = FieldTerm("is", ":", "ready")


async def want_claim(tx: Transaction, request: ClaimTask) -> Wanted:
    """Read the task of the given number, or the first ready one of the filter."""
    if request.number is not UNSET:
        if request.filter is not UNSET:
            raise Invalid(
                "a number and a filter cannot be combined", hint="claim the next of a filter: todo claim --next FILTER"
            )
        return Wanted(numbers=(request.number,), with_caller=True)
    text = request.filter or ""
    compiled = await compile_filter(tx, make_and([READY, (await parse_with_views(tx, text)).node]))
    target = TargetSql(compiled.where, first=True)
    return Wanted(filter=TaskFilter(target, compiled.values, text), with_caller=True)


@writes(ClaimTask, wanted=want_claim, answer=answer_task, repeat=repeat_task)
def claim_task(loaded: Loaded, wanted: Wanted, request: ClaimTask) -> Edits:
    """Claim a task, or renew the caller's claim.

    Raises NotNow where no task is free, and Conflict for a task that is done, in the trash or claimed by another.
    """
    if wanted.filter and not loaded.found:
        raise NotNow("there is nothing to claim", hint="try again later, or list claims with: todo list is:claimed")
    rows = select_rows(loaded, wanted)
    raise_for_done(rows)
    _raise_for_claims_of_others(rows, loaded)
    claim = _make_claim(loaded, request.lease)
    claimed = [
        replace(row, **claim) if _is_held(row, loaded) and row.fence else give_claim(row, loaded, claim) for row in rows
    ]
    return Edits(rows=claimed, is_claim=True)


def _make_claim(loaded: Loaded, lease: int) -> dict[str, Any]:
    """Return the columns of a claim of the caller that begins now."""
    until = loaded.now + timedelta(seconds=lease)
    return {"claimed_by": loaded.user_name, "claim_token": loaded.token_id, "claimed_until": until}


def _is_held(row: TaskRow, loaded: Loaded) -> bool:
    """Return whether the caller's token has a claim of the task that lasts."""
    return row.claim_token == loaded.token_id and row.claimed_until is not None and row.claimed_until > loaded.now


async def want_taken(tx: Transaction, request: TakeTask) -> Wanted:
    """Read the task and the caller."""
    return Wanted(numbers=(request.number,), with_caller=True)


@writes(TakeTask, wanted=want_taken, answer=answer_task, repeat=repeat_task)
def take_task(loaded: Loaded, wanted: Wanted, request: TakeTask) -> Edits:
    """Give the caller the claim of a task, whoever has it; raises NotAllowed without the scope all."""
    check_not_blank("reason", request.reason)
    if not loaded.has_all_scopes:
        raise NotAllowed("this token may not take over claims", hint="use a token of scope all")
    rows = select_rows(loaded, wanted)
    raise_for_done(rows)
    claim = _make_claim(loaded, request.lease)
    return Edits(rows=[give_claim(row, loaded, claim) for row in rows], is_claim=True)


@writes(RenewClaims)
def renew_claims(loaded: Loaded, wanted: Wanted, request: RenewClaims) -> Edits:
    """Prolong claims of the caller that last; raises Conflict for a task that the caller's token does not hold."""
    rows = select_rows(loaded, wanted)
    ended = [row for row in rows if not _is_held(row, loaded)]
    if ended:
        number = ended[0].number
        raise Conflict(
            f"task #{number} is not claimed by this token: {describe_claim(ended[0], loaded.zone)}; nothing was changed",
            hint=f"a claim that has ended is not renewed; claim the task again with: todo claim {number}",
            numbers=[row.number for row in ended],
        )
    until = loaded.now + timedelta(seconds=request.lease)
    return Edits(rows=[replace(row, claimed_until=until) for row in rows])


async def want_release(tx: Transaction, request: ReleaseTasks) -> Wanted:
    """Read the caller too, whose claims these must be."""
    wanted = await read_targets(tx, request)
    wanted.with_caller = True
    return wanted


@writes(ReleaseTasks, wanted=want_release)
def release_tasks(loaded: Loaded, wanted: Wanted, request: ReleaseTasks) -> Edits:
    """Release claimed tasks; raises Conflict for a claim of another token, unless forced."""
    rows = select_rows(loaded, wanted)
    if request.force is True and not loaded.has_all_scopes:
        raise NotAllowed("this token may not release the claims of others", hint="use a token of scope all")
    if request.force is not True:
        _raise_for_claims_of_others(rows, loaded)
    return Edits(rows=[replace(row, claimed_by=None, claim_token=None, claimed_until=None) for row in rows])


def _raise_for_claims_of_others(rows: Sequence[TaskRow], loaded: Loaded) -> None:
    claimed = [
        row
        for row in rows
        if row.claimed_until and row.claimed_until > loaded.now and row.claim_token != loaded.token_id
    ]
    if claimed:
        first = claimed[0]
        raise Conflict(
            f"task #{first.number} is {describe_claim(first, loaded.zone)}; nothing was changed",
            hint=f"wait for it with: todo wait {first.number} --until unclaimed",
            numbers=[row.number for row in claimed],
        )


def raise_for_lost_claims(rows: Sequence[TaskRow], loaded: Loaded) -> None:
    """Raise Conflict for a task that the caller's token did not claim last."""
    lost = [row for row in rows if row.claim_token != loaded.token_id]
    if lost:
        first = lost[0]
        raise Conflict(
            f"task #{first.number} is no longer yours: it is {describe_claim(first, loaded.zone)}; nothing was changed",
            hint="claim another with: todo claim --next",
            numbers=[row.number for row in lost],
        )
