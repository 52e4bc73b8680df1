"""Proposals: changes of a token that may not make them itself, until a person approves or rejects them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Asks, Limit, Request
from todo_cli.contract.journal import Difference
from todo_cli.contract.limits import MAX_NOTE_CHARS
from todo_cli.contract.plans import Arguments, Verb
from todo_cli.contract.tasks import Changed
from todo_cli.contract.tokens import Id

RejectionReason = Annotated[str, Meta(min_length=1, max_length=MAX_NOTE_CHARS, description="why it was rejected")]


class Proposal(Struct, frozen=True, kw_only=True):
    """A proposed change with the exact rows. Its `moved` tasks have changed since, so that it cannot be approved.

    `change` is the change in the journal that the approval made.
    """

    id: str
    verb: str
    arguments: dict[str, Any]
    state: Literal["open", "approved", "rejected", "expired"]
    user: str
    token: str
    made_at: datetime
    expires_at: datetime
    differences: tuple[Difference, ...]
    moved: tuple[int, ...] = ()
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    change: int | None = None


class ProposalPage(Struct, frozen=True, kw_only=True):
    """Proposals, the newest first."""

    proposals: tuple[Proposal, ...]


class ProposeChange(Request[Proposal], frozen=True, kw_only=True):
    """Store a change of tasks as a proposal, in place of the change; never answered, since Proposed names it."""

    verb = "ProposeChange"
    scope = "tasks:write"

    operation: Verb
    arguments: Arguments


class ListProposals(Request[ProposalPage], frozen=True, kw_only=True):
    """List the changes that wait for an approval, the newest first; with `all` also those that were decided.

    A token that proposes sees its own.
    """

    verb = "ListProposals"
    label = "proposals"
    past = "Listed"
    tool = "list_proposals"
    route = "GET /v1/proposals"
    write = False

    id: Id | None = None
    all: bool = False
    limit: Limit = 20


class ApproveProposal(Request[Changed], frozen=True, kw_only=True):
    """Approve a proposal: make exactly the change that it shows; refused where one of its tasks has changed."""

    verb = "ApproveProposal"
    label = "approve"
    past = "Approved"
    route = "POST /v1/proposals/{id}/approval"
    scope = "approve"
    asks = Asks.ALWAYS

    id: Id


class RejectProposal(Request[Proposal], frozen=True, kw_only=True):
    """Reject a proposal for good; its proposer can read the reason."""

    verb = "RejectProposal"
    label = "reject"
    past = "Rejected"
    route = "POST /v1/proposals/{id}/rejection"
    scope = "approve"

    id: Id
    reason: RejectionReason | None = None
