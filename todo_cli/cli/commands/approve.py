"""Approve a proposal."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import session_of
from todo_cli.contract.proposals import ApproveProposal

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def approve(
    ctx: typer.Context,
    proposal: Annotated[str, typer.Argument(help="Proposal id (see: todo proposals).", metavar="ID")],
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Make exactly the change of a proposal, once. Fail if one of its tasks has changed since.

    todo approve 01a205ca-e90e-7c80-b103-79a08eee1cd4

    todo approve 01a205ca-e90e-7c80-b103-79a08eee1cd4 --json
    """
    from todo_cli.cli.proposal_output import check_proposal_id

    check_proposal_id(proposal)
    changed = session_of(ctx).send(ApproveProposal(id=proposal))
    print_changed(ctx, changed, ApproveProposal.past, output_form(as_json, as_lines))
