"""todo add"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from todo_cli.cli.options import Due, Json, JsonLines, Key, Priority, Project, one_of, priority
from todo_cli.cli.session import session_of
from todo_cli.contract.tasks import AddTask
from todo_cli.errors import Invalid

app = typer.Typer(add_completion=False)


@app.command()
def add(
    ctx: typer.Context,
    title: Annotated[
        list[str], typer.Argument(help="What is to be done; - reads a task a line from stdin.", metavar="TITLE")
    ],
    due: Due = None,
    project: Project = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Tag, may be repeated.", metavar="NAME")] = None,
    prio: Priority = None,
    note: Annotated[str | None, typer.Option(help="Note of any length up to 100,000.", metavar="TEXT")] = None,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Add a task, or one a line from stdin: all of a request or none.

    todo add 'Pay rent' --due 'next fri 9am' --tag home

    grep -v '^x ' todo.txt | todo add - --project inbox
    """
    session, form = session_of(ctx), one_of(as_json, as_lines)
    fields = {"due": due, "project": project, "tags": tuple(tag or ()), "priority": priority(prio), "note": note}
    if title == ["-"]:
        from todo_cli.cli.add_lines import add_lines

        add_lines(session, fields, key, form)
        return
    words = " ".join(title)
    if not words.strip():
        raise Invalid("the title is blank", hint="write what is to be done: todo add 'Buy milk'")
    task = session.send(AddTask(title=words, **fields), key)  # type: ignore[arg-type]  # one dict for both forms
    if form == "text":
        from todo_cli.cli.render import text

        text.write(f"Added {text.summary(task, text.zone_for([task], session.settings.timezone), datetime.now(UTC))}")
        if not task.new:
            text.note("(added before, with the same key)")
    else:
        from todo_cli.cli.render import json

        json.document(task) if form == "json" else json.lines([task])
