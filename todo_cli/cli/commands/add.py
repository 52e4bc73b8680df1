"""Add a task, or one task per line of stdin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from todo_cli.cli.options import (
    After,
    Defer,
    Due,
    Every,
    Json,
    JsonLines,
    Key,
    Parent,
    Priority,
    Project,
    Scheduled,
    optional_fields,
    output_form,
    parse_blockers,
    parse_priority,
)
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import AddTask, Task
from todo_cli.errors import Invalid

PANEL = "Tasks"
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
    every: Every = None,
    defer: Defer = None,
    scheduled: Scheduled = None,
    parent: Parent = None,
    after: After = None,
    raw: Annotated[bool, typer.Option("--raw", help="Take the title as it stands: read nothing out of it.")] = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Add a task, or one a line from stdin: all of a request or none. Its words are read, options win over them.

    Read are #project, @tag, p1 or !high, dates (tomorrow 9am, by fri, due:eom),
    every 2 weeks, every! 3 days, defer:mon, scheduled:mon, parent:12, after:7,9.
    "Quoted words" and \\#word are only title.

    todo add 'Pay rent tomorrow 9am #home @phone p1 every month'

    todo add 'Paint the fence' --due 'next fri' --parent 12 --after 3 --raw

    grep -v '^x ' todo.txt | todo add - --project inbox
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    fields: dict[str, Any] = {
        "due": due, "project": project, "tags": tuple(tag or ()), "priority": parse_priority(prio), "note": note,
    }  # fmt: skip
    fields |= optional_fields(every, defer, scheduled, parent) | ({"after": parse_blockers(after)} if after else {})
    if title == ["-"]:
        from todo_cli.cli.add_lines import add_lines

        add_lines(session, fields, key, form, parse=not raw)
        return
    words = " ".join(title)
    if not words.strip():
        raise Invalid("the title is blank", hint="write what is to be done: todo add 'Buy milk'")
    more: dict[str, Any] = {} if raw else {"parse": True}
    task = session.send(AddTask(title=words, **fields, **more), key)
    _say(session, task, form)


def _say(session: Session, task: Task, form: str) -> None:
    """What was understood, in one line."""
    if form == "text":
        from todo_cli.cli.render import text

        text.write(
            f"Added {text.format_task(task, text.zone_for([task], session.settings.timezone), datetime.now(UTC))}"
        )
        if not task.new:
            text.note("(added before, with the same key)")
    else:
        from todo_cli.cli.render import json

        json.write_document(task) if form == "json" else json.write_lines([task])
