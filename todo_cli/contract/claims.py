"""Claims: one worker's exclusive hold on a task until its lease expires."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from todo_cli.contract.base import Asks, Number, Request
from todo_cli.contract.filters import Filter
from todo_cli.contract.limits import DEFAULT_LEASE_SECONDS, MAX_LEASE_SECONDS
from todo_cli.contract.tasks import OnTasks, Task

LeaseSeconds = Annotated[
    int, Meta(ge=1, le=MAX_LEASE_SECONDS, description="how many seconds the claim lasts; 900 by default")
]


class ClaimTask(Request[Task], frozen=True, kw_only=True):
    """Claim a task for a worker, so that nobody else can until the lease expires; without a number the next free one.

    Free is a task that is ready (open, not blocked, neither deferred nor scheduled for later), unclaimed, and found by
    the filter; the next one is due soonest, then added first. A claim belongs to the token: claiming the task again
    with the same token renews the lease. Completing, deleting or releasing the task ends the claim.
    """

    verb = "ClaimTask"
    label = "claim"
    past = "Claimed"
    tool = "claim_task"
    route = "POST /v1/claims"
    asks = Asks.SEVERAL
    scope = "tasks:write"

    number: Number | UnsetType = UNSET
    filter: Filter | UnsetType = UNSET
    lease: LeaseSeconds = DEFAULT_LEASE_SECONDS


class ReleaseTasks(OnTasks, frozen=True, kw_only=True):
    """Release claimed tasks, so that others can claim them; unclaimed tasks stay as they are.

    `force` ends the claims of other tokens and needs a token with scope `all`.
    """

    verb = "ReleaseTasks"
    label = "release"
    past = "Released"
    tool = "release_task"
    route = "POST /v1/releases"
    asks = Asks.SEVERAL

    force: bool | UnsetType = UNSET
