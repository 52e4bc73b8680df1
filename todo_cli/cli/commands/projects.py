"""List projects with their numbers of open, overdue and done tasks."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.list_options import FormatOption
from todo_cli.cli.name_counts import print_name_counts
from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.views import ListProjects

PANEL = "Tasks"
EMPTY_MESSAGE = "No projects in use. Set one with: todo edit 12 --project home"
app = typer.Typer(add_completion=False)


@app.command()
def projects(
    ctx: typer.Context,
    total: Annotated[bool, typer.Option("--total", help="Add the tasks of the projects below each.")] = False,
    format: FormatOption = None,
    as_json: Json = False,
) -> None:
    """List projects with their numbers of open, overdue and done tasks, and the part of each that is done.

    todo projects

    todo projects --total --json
    """
    session = session_of(ctx)
    session.choose_format(format)
    request = ListProjects(progress=True)
    print_name_counts(session, request, nothing=EMPTY_MESSAGE, as_json=as_json, with_totals=total)
