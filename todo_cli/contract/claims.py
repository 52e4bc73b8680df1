"""Claims: one worker's exclusive hold on a task until its lease expires."""

from datetime import datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import Asks, Limit, Number, Request
from todo_cli.contract.filters import Filter
from todo_cli.contract.limits import DEFAULT_LEASE_SECONDS, MAX_LEASE_SECONDS, MAX_REASON_CHARS
from todo_cli.contract.tasks import OnTasks, Task

LeaseSeconds = Annotated[
    int, Meta(ge=1, le=MAX_LEASE_SECONDS, description="how many seconds the claim lasts; 900 by default")
]
Reason = Annotated[str, Meta(min_length=1, max_length=MAX_REASON_CHARS)]


class ClaimTask(Request[Task], frozen=True, kw_only=True):
    """Claim a task for a worker, so that nobody else can until the lease expires; without a number the next free one.

    Free is a task that is ready (open, not blocked, unclaimed, neither deferred nor scheduled for later) and found by
    the filter; the next one is due soonest, then added first. A claim belongs to the token: claiming the task again
    with the same token renews the lease. Completing, deleting or releasing the task ends the claim.

    The answer has the `fence` of the claim. A write that names it is refused once another claim has followed.
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


class TakeTask(Request[Task], frozen=True, kw_only=True):
    """Take over the claim of another worker, for a reason that the journal keeps.

    The former worker's writes are refused from then on. It needs a token with scope `all`.
    """

    verb = "TakeTask"
    label = "claim"
    past = "Took over"
    route = "POST /v1/claims/taking"
    scope = "tasks:write"

    number: Number
    reason: Reason
    lease: LeaseSeconds = DEFAULT_LEASE_SECONDS


class RenewClaims(OnTasks, frozen=True, kw_only=True):
    """Renew the leases of claims that the caller's token still has.

    It claims nothing: for a claim that has ended it is refused.
    """

    verb = "RenewClaims"
    label = "heartbeat"
    past = "Renewed"
    route = "POST /v1/claims/renewal"
    asks = Asks.SEVERAL

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


class Claim(Struct, frozen=True, kw_only=True):
    """An active claim. `token` names the worker's token, `mine` says that it is the caller's own.

    `since` and `token` are null for a claim that is older than the journal's record of it. `reason` is that of a
    take-over.
    """

    number: int
    title: str
    user: str
    token: str | None = None
    mine: bool = False
    since: datetime | None = None
    until: datetime
    fence: int | None = None
    reason: str | None = None


class ClaimList(Struct, frozen=True, kw_only=True):
    """Active claims, the next to expire first. `cut` says that more exist."""

    claims: tuple[Claim, ...]
    cut: bool = False


class ListClaims(Request[ClaimList], frozen=True, kw_only=True):
    """List active claims: who has which task, since when and until when."""

    verb = "ListClaims"
    label = "claims"
    past = "Found"
    route = "GET /v1/claims"
    write = False

    mine: bool = False
    limit: Limit = 200
