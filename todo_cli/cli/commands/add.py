"""Add a task, or several from stdin."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import UNSET

from todo_cli.cli.options import (
    After,
    Assign,
    Defer,
    DiscoveredFrom,
    Due,
    Every,
    Json,
    JsonLines,
    Key,
    Parent,
    Priority,
    Remind,
    Scheduled,
    optional_fields,
    output_form,
    parse_assignee,
    parse_blockers,
    parse_priority,
    parse_reminders,
)
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import AddTask, Task
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

TitleArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Title; - reads one task per line from stdin; without it, write the task in $EDITOR.",
        metavar="[TITLE]",
        show_default=False,
    ),
]


@app.command()
def add(
    ctx: typer.Context,
    title: TitleArgument = None,
    due: Due = None,
    project: Annotated[str | None, typer.Option(help="Project; none for no project.", metavar="NAME")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Tag. Repeatable.", metavar="NAME")] = None,
    prio: Priority = None,
    note: Annotated[str | None, typer.Option(help="Note of up to 100,000 characters.", metavar="TEXT")] = None,
    every: Every = None,
    defer: Defer = None,
    scheduled: Scheduled = None,
    remind: Remind = None,
    parent: Parent = None,
    discovered_from: DiscoveredFrom = None,
    after: After = None,
    assign: Assign = None,
    raw: Annotated[bool, typer.Option("--raw", help="Keep the title as it is; do not read fields from it.")] = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Add a task, or one per line of stdin. Fields are read from the title; options override them.

    Fields in the title: #project, @tag, p1 or !high, tomorrow 9am, by fri,
    due:eom, every 2 weeks, every! 3 days, defer:mon, scheduled:mon,
    parent:12, after:7,9, remind:1h, assign:me. "Quoted words" and \\#word
    stay in the title.

    todo add 'Pay rent tomorrow 9am #home @phone p1 every month'

    todo add 'Paint the fence' --due 'next fri' --parent 12 --after 3 --raw

    todo add - --project inbox < todo.txt
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    fields: dict[str, Any] = {"due": due, "project": "none" if project == "" else project, "tags": tuple(tag or ())}
    fields |= {"note": note, "priority": parse_priority(prio)} | _default_project(session, project)
    fields |= optional_fields(every, defer, scheduled, parent, discovered_from) | parse_reminders(remind)
    fields |= parse_assignee(assign)
    fields |= {"after": parse_blockers(after)} if after else {}
    if not title:
        _add_in_editor(session, fields, key, form)
        return
    if title == ["-"]:
        from todo_cli.cli.add_lines import add_lines

        add_lines(session, fields, key, form, parse=not raw)
        return
    _add_task(session, " ".join(title), fields, key, form, parse=not raw)


def _add_in_editor(session: Session, fields: dict[str, Any], key: str | None, form: str) -> None:
    if not session.is_interactive:
        raise Invalid("the title is missing", hint="write it as: todo add 'Buy milk', or pipe titles to: todo add -")
    from todo_cli.cli.forms.add_form import add_in_editor

    task = add_in_editor(session, fields, key)
    if task:
        _print_added(session, task, form)


def _default_project(session: Session, project: str | None) -> dict[str, str]:
    """Return the project of the checkout, for a task whose title names none."""
    default = session.settings.project
    return {"default_project": default} if default and project is None else {}


def _add_task(session: Session, title: str, fields: dict[str, Any], key: str | None, form: str, *, parse: bool) -> None:
    if not title.strip():
        raise Invalid("the title is blank", hint="write it as: todo add 'Buy milk'")
    task = session.send(AddTask(title=title, parse=parse or UNSET, **fields), key)
    _print_added(session, task, form)
    if parse:
        from todo_cli.cli.near_miss_output import print_near_misses

        print_near_misses(session, [(None, task)])


def _print_added(session: Session, task: Task, form: str) -> None:
    """Print the task with every field that was read, so that a misunderstanding shows at once."""
    if form == "text":
        from todo_cli.cli.render import text

        zone = session.load_zone_for([task])
        text.write_wrapped(f"Added {text.format_task(task, zone, session.clock.now, absolute=session.absolute_dates)}")
        if task.defer:
            from todo_cli.cli.render.late_defer import warn_of_late_defer

            warn_of_late_defer([task], zone)
        if not task.new:
            text.note("(already added with this key; nothing was added twice)")
    else:
        from todo_cli.cli.render import json

        json.write_document(task) if form == "json" else json.write_lines([task])
