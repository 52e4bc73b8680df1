"""Wait until a task is done, changed or free."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import ListTasks, ShowTask, Task
from todo_cli.errors import Invalid, NotNow, TodoError, TooMany, Unavailable

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

SHORTEST, GROWTH, LONGEST = 0.5, 1.3, 3.0  # seconds between looks

Until = Literal["done", "open", "deleted", "changed", "claimed", "unclaimed"]


@app.command()
def wait(
    ctx: typer.Context,
    task: Annotated[str, typer.Argument(help="The task's number.", metavar="N")],
    until: Annotated[Until, typer.Option(help="What is waited for.")] = "done",
    timeout: Annotated[str, typer.Option(help="How long at most: 90s, 15m, 1h30m.", metavar="HOW LONG")] = "1h",
    since: Annotated[
        int | None, typer.Option("--since", help="With --until changed: other than at this rev.", metavar="REV", min=1)
    ] = None,
    as_json: Json = False,
) -> None:
    """Wait until a task is done, changed, free…; the exit code is 0 when it is, 11 when it was not in time.

    It looks every half second at first, every three later on. A server that is away in between is waited for, too.

    todo wait 12 --until done --timeout 1h && deploy

    todo wait 12 --until changed --since 40 --json
    """
    from todo_cli.parsing.durations import parse_duration

    if since is not None and until != "changed":
        raise Invalid("--since goes with --until changed")
    session, seconds = session_of(ctx), parse_duration(timeout)
    deadline = time.monotonic() + seconds
    session.settings = session.settings._replace(timeout=min(session.settings.timeout, max(1.0, seconds)))
    found = session.send(ShowTask(number=parse_number(task)))
    rev = since or found.rev
    pause, away = SHORTEST, ""
    while True:
        try:
            if so := _holds(session, found.number, until, rev):
                break
            away = ""
        except (Unavailable, TooMany) as error:
            away = f" ({error.detail})"
            pause = max(pause, _patience(error))
        left = deadline - time.monotonic()
        if left <= 0:
            raise NotNow(f"#{found.number} was not {until} within {timeout}{away}", hint="wait longer with --timeout")
        time.sleep(min(pause, left))
        pause = min(LONGEST, pause * GROWTH)
    _say(session, so, as_json=as_json)


def _holds(session: Session, about: int, until: Until, rev: int) -> Task | None:
    """The task where it is so; leases are judged by the database's clock."""
    if until in ("claimed", "unclaimed"):
        sign = "" if until == "claimed" else "-"
        if not session.send(ListTasks(filter=f"{about} {sign}is:claimed", status="all")).tasks:
            return None
        return session.send(ShowTask(number=about))
    task = session.send(ShowTask(number=about))
    return task if (task.rev != rev if until == "changed" else task.status == until) else None


def _patience(error: TodoError) -> float:
    """Seconds that the server asks for, up to a minute."""
    asked = error.extra.get("retry_after")
    return min(60.0, float(asked)) if isinstance(asked, int | float) else SHORTEST


def _say(session: Session, task: Task, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(task)
        return
    from todo_cli.cli.render import text

    zone = text.zone_for([task], session.settings.timezone)
    text.write(f"{task.status} {text.format_task(task, zone, datetime.now(UTC))}")
