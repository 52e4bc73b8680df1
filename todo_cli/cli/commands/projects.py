"""List the projects of open tasks with their counts."""

from __future__ import annotations

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.views import ListProjects

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def projects(ctx: typer.Context, as_json: Json = False) -> None:
    """List the projects in use, with how many open tasks each has.

    todo projects

    todo projects --json
    """
    session = session_of(ctx)
    page = session.send(ListProjects())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    print_rows(session, ("Project", "Open tasks"), [(one.name, str(one.tasks)) for one in page.used])
