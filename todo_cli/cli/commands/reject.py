"""Reject a proposal."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.proposals import RejectProposal

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def reject(
    ctx: typer.Context,
    proposal: Annotated[str, typer.Argument(help="Proposal id (see: todo proposals).", metavar="ID")],
    reason: Annotated[str | None, typer.Option(help="Why, for its proposer to read.", metavar="TEXT")] = None,
    as_json: Json = False,
) -> None:
    """Reject a proposal for good. Its proposer can read the reason.

    todo reject 01a205ca-e90e-7c80-b103-79a08eee1cd4

    todo reject 01a205ca-e90e-7c80-b103-79a08eee1cd4 --reason 'not yet'
    """
    from todo_cli.cli.proposal_output import check_proposal_id

    check_proposal_id(proposal)
    rejected = session_of(ctx).send(RejectProposal(id=proposal, reason=reason))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(rejected)
        return
    from todo_cli.cli.render import text

    text.note("Rejected the proposal; nothing was changed.")
