"""List the tags of open tasks with their counts."""

from __future__ import annotations

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.views import ListTags

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def tags(ctx: typer.Context, as_json: Json = False) -> None:
    """List the tags in use, with how many open tasks each has.

    todo tags

    todo tags --json
    """
    session = session_of(ctx)
    page = session.send(ListTags())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    print_rows(session, ("Tag", "Open tasks"), [(one.name, str(one.tasks)) for one in page.used])
