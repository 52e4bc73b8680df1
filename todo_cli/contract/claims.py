"""Claims: a task is one worker's for a while."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from todo_cli.contract.base import KEEP, Asks, Kept, Number, Request
from todo_cli.contract.filters import Filter
from todo_cli.contract.tasks import OnTasks, Task

MAX_LEASE_SECONDS = 7 * 86_400
DEFAULT_LEASE_SECONDS = 900

LeaseSeconds = Annotated[
    int, Meta(ge=1, le=MAX_LEASE_SECONDS, description="for how many seconds, from now; 900 unless given")
]


class ClaimTask(Request[Task], frozen=True, kw_only=True):
    """Claim a task for a worker: until the lease runs out nobody else can. Without a number the next one that is free.

    The next is the one due soonest, then the one added first, of those that are ready (open, waiting for no other task,
    not put off, not scheduled for later), that nobody holds and that the filter names. A claim is the token's: to claim
    the task again with the same token renews the lease. Done, deleted and released tasks are nobody's.
    """

    verb = "ClaimTask"
    label = "claim"
    past = "Claimed"
    tool = "claim_task"
    route = "POST /v1/claims"
    scope = "tasks:write"

    number: Number | Kept = KEEP
    filter: Filter | Kept = KEEP
    lease: LeaseSeconds = DEFAULT_LEASE_SECONDS


class ReleaseTasks(OnTasks, frozen=True, kw_only=True):
    """Let go of claimed tasks, so that others can claim them; what nobody holds stays so.

    `force` takes away what another has claimed: with a token of every scope.
    """

    verb = "ReleaseTasks"
    label = "release"
    past = "Released"
    tool = "release_task"
    route = "POST /v1/releases"
    asks = Asks.SEVERAL

    force: bool | Kept = KEEP
