"""Show one task."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Annotated

import typer

from todo_cli.cli.options import Json, parse_number
from todo_cli.cli.session import session_of
from todo_cli.contract.tasks import ShowTask, Task

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

MAX_SHOWN_COMMENTS = 100  # in an answer to ShowTask


@app.command()
def show(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="Task number.", metavar="N")],
    as_json: Json = False,
) -> None:
    """Show one task with all its fields and comments, also if it is done or deleted.

    todo show 12

    todo show 12 --json | jq .rev
    """
    session = session_of(ctx)
    shown = session.send(ShowTask(number=parse_number(task)))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(shown)
    else:
        _print_task(shown, session.local_now())


def _print_task(task: Task, now: datetime) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape, escape_block

    zone = now.tzinfo
    text.write(escape(f"#{task.number} {task.title}"))
    rows = {
        "status": task.status,
        "due": _format_date(task.due, zone, now),
        "priority": f"p{task.priority}" if task.priority else "",
        "project": task.project or "",
        "tags": " ".join(task.tags),
        "repeats": text.describe_repeat(task.repeat) + f" (occurrence {task.repeat.occurrence})" if task.repeat else "",
        "deferred": _format_date(task.defer, zone, now),
        "scheduled": _format_date(task.scheduled, zone, now),
        "parent": f"#{task.parent}" if task.parent else "",
        "subtasks": f"{task.subtasks} open" if task.subtasks else "",
        "after": " ".join(f"#{number}" for number in task.after) + (" (blocked)" if task.blocked else ""),
        "started": text.format_age(task.started_at, now) if task.started_at else "",
        "worked": text.format_duration(task.tracked) if task.tracked else "",
        "claimed": _format_claim(task, zone, now),
        "urgency": f"{task.urgency:.1f}" if isinstance(task.urgency, float) else "",
        "added": text.format_age(task.created_at, now),
        "changed": text.format_age(task.updated_at, now) if task.updated_at != task.created_at else "",
        "done": text.format_age(task.completed_at, now) if task.completed_at else "",
        "rev": str(task.rev),
        "id": task.id,
    }
    for name, value in rows.items():
        if value:
            text.write(f"  {name:<10}{escape(value)}")
    if task.note:
        text.write("")
        text.write(escape_block(task.note))
    if task.comments:
        from todo_cli.cli.render import comments

        text.write("")
        for line in comments.format_comments(task.comments, now):
            text.write(line)
        if len(task.comments) == MAX_SHOWN_COMMENTS:
            text.note(f"the newest {MAX_SHOWN_COMMENTS} comments; see all with: todo comment {task.number}")


def _format_claim(task: Task, zone: tzinfo | None, now: datetime) -> str:
    """Return the holder and the end of the claim; nothing for a claim that has ended."""
    if not task.claimed_until or task.claimed_until <= now:
        return ""
    return f"by {task.claimed_by} until {task.claimed_until.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _format_date(when: str | None, zone: tzinfo | None, now: datetime) -> str:
    from todo_cli.cli.render import text

    return f"{text.format_due(when, zone, now)} ({text.format_due_iso(when, zone)})" if when else ""
