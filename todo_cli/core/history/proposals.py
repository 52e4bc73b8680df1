"""Proposals: what a token that only proposes would change, and the decision of a person.

A proposal is decided as the change itself is, and its rows are stored beside it. The approval decides again, for the
same revs, and refuses where the rows would be others than those that it showed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, NoReturn

import msgspec

from todo_cli.contract.codec import convert_request, decode
from todo_cli.contract.ids import id_of, new_id
from todo_cli.contract.proposals import (
    ApproveProposal,
    ListProposals,
    Proposal,
    ProposalPage,
    ProposeChange,
    RejectProposal,
)
from todo_cli.contract.registry import label_of
from todo_cli.contract.tasks import Changed
from todo_cli.core.dispatch import handler
from todo_cli.core.history.moved_tasks import MovedTask, MovedTasks, describe_tasks
from todo_cli.core.history.plans import PLANNABLE, to_changed
from todo_cli.core.history.proposals_sql import APPROVE, FIND_MOVED, LIST, REJECT, STORE
from todo_cli.core.history.proposed_arguments import fix_arguments
from todo_cli.core.journal import differences, make_stamp, read_rows, run_journaled
from todo_cli.core.tasks.change import prepare_change
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.db.sign_in import ENTER
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, NotAllowed, NotFound, Proposed

PROPOSABLE = PLANNABLE.keys() - {"RenewClaims", "ReleaseTasks"}
"""The verbs that can be proposed. A token that only proposes has no claims."""

shown_content = attrgetter(
    "title", "note", "status", "priority", "project", "due_on", "due_at", "tags", "parent", "after", "defer_on",
    "defer_at", "scheduled_on", "scheduled_at", "repeat", "remind", "attachments",
)  # fmt: skip  # one column a line would hide that the moments of the change itself are left out
"""Return what an approval must leave as the proposal shows it."""


class _StoredProposal(msgspec.Struct):
    id: str
    verb: str
    arguments: dict[str, Any]
    before: list[dict[str, Any]]
    after: list[dict[str, Any]]
    state: Literal["open", "approved", "rejected", "expired"]
    user: str
    token: str
    made_at: datetime
    expires_at: datetime
    moved: tuple[int, ...] = ()
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    change: int | None = None
    is_repeated: bool = False

    def to_proposal(self) -> Proposal:
        """Return the proposal as the contract has it."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name in Proposal.__struct_fields__}
        return Proposal(**fields, differences=differences(self.before, self.after))


class _StoredPage(msgspec.Struct):
    proposals: list[_StoredProposal]


@handler(ProposeChange)
async def propose_change(tx: Transaction, request: ProposeChange) -> NoReturn:
    """Decide the change and store it as a proposal, in two round trips; raises Proposed, which names it."""
    if request.operation not in PROPOSABLE:
        raise NotAllowed(
            f"a token that only proposes cannot run {label_of(request.operation)}, which cannot be proposed",
            hint="it can propose changes of tasks, such as add, edit, done and rm; a note can be edited, too",
        )
    planned = convert_request(request.arguments, PLANNABLE[request.operation])
    stamp = make_stamp(tx, planned)
    async with tx.steps() as steps:
        change = (await prepare_change(tx, steps, planned, stamp._replace(key=None))).change
        assert change  # noqa: S101  # without a key no change is known
        values = {
            # of the content too, so that a repeated request finds its proposal, and no other does
            "id": id_of("proposal", tx.caller.user_id, stamp.key, stamp.hash.hex()) if stamp.key else new_id(),
            "verb": request.operation,
            "arguments": msgspec.json.encode(fix_arguments(planned, change)).decode(),
            "before": msgspec.json.encode(change.before).decode(),
            "after": msgspec.json.encode(change.rows).decode(),
        }
        [text] = await steps.commit_calls([(STORE, values)])
    stored = decode(text or "", _StoredProposal)
    if stored.state == "open":
        outcome = f"proposed as {stored.id}; nothing is changed until a person approves it"
    else:
        outcome = f"proposed before as {stored.id}, which was {stored.state}"
    hint = f"see what becomes of it with: todo proposals {stored.id}"
    raise Proposed(outcome, hint=hint, proposal=stored.id, state=stored.state)


@handler(ListProposals)
async def list_proposals(tx: Transaction, request: ListProposals) -> ProposalPage:
    """Return the newest proposals; raises NotFound for an id that none has."""
    text = await tx.finish(LIST, id=request.id, all=request.all, limit=request.limit)
    found = decode(text or "", _StoredPage).proposals
    if request.id and not found:
        raise _not_found(request.id)
    return ProposalPage(proposals=tuple(stored.to_proposal() for stored in found))


@handler(ApproveProposal)
async def approve_proposal(tx: Transaction, request: ApproveProposal) -> Changed:
    """Make the proposed change, in three round trips.

    The change has the proposal's own key: approved twice, it acts once and answers the same.
    """
    async with tx.steps() as steps:
        text, moved = await steps.fetch_all(APPROVE, FIND_MOVED, id=request.id)
        if text is None:
            raise _not_found(request.id)
        proposal = decode(text, _StoredProposal)
        if not proposal.is_repeated:
            _raise_for_moved(decode(moved or "", MovedTasks).tasks)
        planned = convert_request(proposal.arguments, PLANNABLE[proposal.verb])
        stamp = make_stamp(tx, planned)._replace(key=f"proposal:{request.id}")
        # The token's scope for the approval is `approve`; its right to change tasks is checked here.
        enter = (ENTER, {"scope": planned.scope, "verb": planned.verb})
        prepared = await prepare_change(tx, steps, planned, stamp, first=[enter])
        if prepared.change:
            _raise_for_other_rows(prepared.change.rows, read_rows(proposal.after))
        await steps.commit_calls(prepared.calls)
    return to_changed(prepared.answer)


@handler(RejectProposal)
async def reject_proposal(tx: Transaction, request: RejectProposal) -> Proposal:
    """Reject the proposal, which can then never be approved; raises NotFound where there is none."""
    return await run_journaled(tx, REJECT, request, _not_found(request.id), id=request.id, reason=request.reason)


def _raise_for_moved(tasks: Sequence[MovedTask]) -> None:
    if tasks:
        raise Conflict(
            f"changed since the proposal was made: {describe_tasks(tasks)}; nothing was changed",
            hint="reject it with a reason, so that its proposer can make a new one",
            moved=[task.number for task in tasks],
        )


def _raise_for_other_rows(rows: Sequence[TaskRow], shown: Sequence[TaskRow]) -> None:
    """Raise Conflict where the change would now do something else, since a date in words has another meaning today."""
    if [shown_content(row) for row in rows] != [shown_content(row) for row in shown]:
        raise Conflict(
            "the proposal would now do something else than it shows; nothing was changed",
            hint="reject it with a reason, so that its proposer can make a new one",
        )


def _not_found(proposal: str) -> NotFound:
    return NotFound(f"there is no proposal {proposal}", hint="see the open ones with: todo proposals")
