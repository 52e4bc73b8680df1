"""List the changes that wait for an approval."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import session_of
from todo_cli.contract.proposals import ListProposals

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def proposals(
    ctx: typer.Context,
    proposal: Annotated[str | None, typer.Argument(help="Proposal id; without it, all.", metavar="[ID]")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Include decided and expired proposals.")] = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List the changes that tokens have proposed, with the exact rows.

    todo proposals

    todo proposals 01a205ca-e90e-7c80-b103-79a08eee1cd4 --json
    """
    from todo_cli.cli.proposal_output import check_proposal_id, print_proposals

    session, form = session_of(ctx), output_form(as_json, as_lines)
    if proposal is not None:
        check_proposal_id(proposal)
    page = session.send(ListProposals(id=proposal, all=everything))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.proposals)
        return
    print_proposals(session, page.proposals)
