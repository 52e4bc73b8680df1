"""Set, list and clear reminders of tasks."""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import UNSET

from todo_cli.cli.change_tasks import print_changed
from todo_cli.cli.options import Json, JsonLines, Key, output_form, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import parse_task_args
from todo_cli.contract.jobs import ListJobs
from todo_cli.contract.reminders import RemindTasks
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

EMPTY_MESSAGE = "No reminders. Set one with: todo remind 12 '1h before'"


@app.command()
def remind(
    ctx: typer.Context,
    tasks: Annotated[str | None, typer.Argument(help="Task numbers: 12, 3,7-9.", metavar="[N]")] = None,
    when: Annotated[
        list[str] | None, typer.Argument(help="'1h before' it is due, 'at due', 'tomorrow 9am'.", metavar="[WHEN]")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove your reminders of the tasks.")] = False,
    list_all: Annotated[bool, typer.Option("--list", help="List the scheduled reminders, of one task with N.")] = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Add a reminder to a task, or list reminders. They follow the due date, and end when the task is done.

    todo remind 12 '1h before'

    todo remind 12 tomorrow 9am

    todo remind 12 --clear
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    if list_all or not tasks:
        if when or clear:
            raise Invalid("--list takes a task number and nothing else", hint="for example: todo remind 12 --list")
        _print_reminders(session, parse_number(tasks) if tasks else None, form)
        return
    if clear == bool(when):
        raise Invalid("name a time, or --clear", hint="for example: todo remind 12 '1h before'")
    named = parse_task_args([tasks])
    reminders = () if clear else (" ".join(when or ()),)
    changed = session.send(RemindTasks(**named, remind=reminders, replace=clear or UNSET), key)
    print_changed(ctx, changed, "Cleared the reminders of" if clear else RemindTasks.past, form)


def _print_reminders(session: Session, number: int | None, form: str) -> None:
    page = session.send(ListJobs(number=number, limit=1_000))
    reminders = [job for job in page.jobs if job.kind == "reminder"]
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(reminders) if form == "json" else json.write_lines(reminders)
        return
    from todo_cli.cli.render.jobs import format_moment
    from todo_cli.cli.render.rows import print_rows

    cells = [
        (format_moment(job.moment, session), f"#{job.task}", job.title or "", job.error or "") for job in reminders
    ]
    print_rows(session, ("When", "Task", "Title", "Error"), cells, nothing=EMPTY_MESSAGE)
