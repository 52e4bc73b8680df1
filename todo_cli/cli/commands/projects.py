"""List projects with their number of open tasks."""

from __future__ import annotations

import typer

from todo_cli.cli.name_counts import print_name_counts
from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.views import ListProjects

PANEL = "Tasks"
EMPTY_MESSAGE = "No projects in use. Set one with: todo edit 12 --project home"
app = typer.Typer(add_completion=False)


@app.command()
def projects(ctx: typer.Context, as_json: Json = False) -> None:
    """List projects with their number of open tasks.

    todo projects

    todo projects --json
    """
    print_name_counts(session_of(ctx), ListProjects(), "Project", nothing=EMPTY_MESSAGE, as_json=as_json)
