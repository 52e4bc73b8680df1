"""List tags with their numbers of open, overdue and done tasks."""

from __future__ import annotations

import typer

from todo_cli.cli.list_options import FormatOption
from todo_cli.cli.name_counts import print_name_counts
from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.views import ListTags

PANEL = "Tasks"
EMPTY_MESSAGE = "No tags in use. Add one with: todo edit 12 --tag phone"
app = typer.Typer(add_completion=False)


@app.command()
def tags(
    ctx: typer.Context,
    format: FormatOption = None,
    as_json: Json = False,
) -> None:
    """List tags with their numbers of open, overdue and done tasks.

    todo tags

    todo tags --json
    """
    session = session_of(ctx)
    session.choose_format(format)
    request = ListTags(progress=True)
    print_name_counts(session, request, nothing=EMPTY_MESSAGE, as_json=as_json)
