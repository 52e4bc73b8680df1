"""Print proposals, and check their ids."""

from __future__ import annotations

from collections.abc import Sequence

from todo_cli.cli.plan_output import print_plan_rows
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session
from todo_cli.contract.proposals import Proposal
from todo_cli.contract.registry import label_of
from todo_cli.errors import Invalid


def check_proposal_id(proposal: str) -> None:
    """Raise Invalid for a text that is no id."""
    if len(proposal) != 36 or set(proposal) - set("0123456789abcdef-"):
        raise Invalid(f"{proposal[:40]!r} is not a proposal id", hint="list the open ones with: todo proposals")


def print_proposals(session: Session, proposals: Sequence[Proposal]) -> None:
    """Print each proposal: its id, who proposed which command, what became of it, and the rows."""
    for proposal in proposals:
        text.write(escape(f"{proposal.id}  {label_of(proposal.verb)} by {_describe_proposer(proposal)}"))
        if outcome := _describe_outcome(proposal):
            text.write_wrapped(escape(f"  {outcome}"))
        print_plan_rows(session, proposal)
    if not proposals:
        text.note("No proposals wait.")


def _describe_proposer(proposal: Proposal) -> str:
    return f"{proposal.user} ({proposal.token})" if proposal.token else proposal.user


def _describe_outcome(proposal: Proposal) -> str:
    """Return what became of a proposal, or why it cannot be approved; empty for one that waits."""
    if proposal.state == "open":
        moved = ", ".join(f"#{number}" for number in proposal.moved)
        return f"stale: {moved} changed since" if moved else ""
    by = f" by {proposal.decided_by}" if proposal.decided_by else ""
    change = f" as change {proposal.change}" if proposal.change else ""
    reason = f": {proposal.reason}" if proposal.reason else ""
    return f"{proposal.state}{by}{change}{reason}"
