"""List claims: who works on which task, since when and until when."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.claims import Claim, ListClaims
from todo_cli.contract.limits import MAX_PAGE_ITEMS

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

EMPTY_MESSAGE = "Nothing is claimed. Claim a task with: todo claim N, or todo claim --next"


@app.command()
def claims(
    ctx: typer.Context,
    mine: Annotated[bool, typer.Option("--mine", help="List only the claims of this token.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of claims.", min=1, max=MAX_PAGE_ITEMS, metavar="COUNT")
    ] = 200,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List active claims, those that end first on top: who works on which task, since when and until when.

    todo claims

    todo claims --mine --json
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    found = session.send(ListClaims(mine=mine, limit=limit))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(found) if form == "json" else json.write_lines(found.claims)
        return
    from todo_cli.cli.render.rows import print_rows

    headings = ("#", "Task", "By", "Token", "Since", "Until", "Fence", "Reason")
    print_rows(session, headings, [_claim_row(claim, session) for claim in found.claims], nothing=EMPTY_MESSAGE)
    if found.cut and session.is_terminal:
        from todo_cli.cli.render import text

        text.note(f"{limit:,} shown; more with: todo claims -n {min(2 * limit, MAX_PAGE_ITEMS)}")


def _claim_row(claim: Claim, session: Session) -> tuple[str, ...]:
    from todo_cli.cli.render.jobs import format_moment

    since = format_moment(claim.since, session) if claim.since else ""
    until = format_moment(claim.until, session)
    fence = str(claim.fence or "")
    return str(claim.number), claim.title, claim.user, claim.token or "", since, until, fence, claim.reason or ""
