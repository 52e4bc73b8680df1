"""Wait until a task is done, changed or unclaimed."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import TaskNumberArgument
from todo_cli.contract.tasks import ListTasks, ShowTask, Task
from todo_cli.errors import Invalid, NotNow, TodoError, TooMany, Unavailable

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FIRST_POLL_SECONDS, POLL_GROWTH, MAX_POLL_SECONDS = 0.5, 1.3, 3.0
MAX_RETRY_SECONDS = 60.0

Until = Literal["done", "open", "deleted", "changed", "claimed", "unclaimed"]
TIMED_OUT = {
    "done": "was not done",
    "open": "was not reopened",
    "deleted": "was not deleted",
    "changed": "did not change",
    "claimed": "was not claimed",
    "unclaimed": "was not released",
}


@app.command()
def wait(
    ctx: typer.Context,
    task: TaskNumberArgument,
    until: Annotated[Until, typer.Option(help="State to wait for.")] = "done",
    timeout: Annotated[str, typer.Option(help="Maximum time to wait: 90s, 15m, 1h30m.", metavar="DURATION")] = "1h",
    since: Annotated[
        int | None,
        typer.Option("--since", help="With --until changed: wait for a later revision.", metavar="REV", min=1),
    ] = None,
    as_json: Json = False,
) -> None:
    """Wait until a task is done, changed or unclaimed. Exit with 11 after the timeout.

    The task is checked every half second at first, later every three.
    Waiting continues while the server is down.

    todo wait 12 --until done --timeout 1h && deploy

    todo wait 12 --until changed --since 40 --json
    """
    from todo_cli.parsing.durations import parse_duration

    if since is not None and until != "changed":
        raise Invalid("--since needs --until changed")
    session, seconds = session_of(ctx), parse_duration(timeout)
    deadline = time.monotonic() + seconds
    session.settings = session.settings.replace(timeout=min(session.settings.timeout, max(1.0, seconds)))
    start = session.send(ShowTask(number=parse_number(task)))
    rev = since or start.rev
    pause, problem = FIRST_POLL_SECONDS, ""
    while True:
        try:
            if awaited := _fetch_if(session, start.number, until, rev):
                break
            problem = ""
        except (Unavailable, TooMany) as error:
            problem = f" ({error.detail})"
            pause = max(pause, _retry_seconds(error))
        left = deadline - time.monotonic()
        if left <= 0:
            detail = f"#{start.number} {TIMED_OUT[until]} within {timeout}{problem}"
            raise NotNow(detail, hint="wait longer with --timeout")
        time.sleep(min(pause, left))
        pause = min(MAX_POLL_SECONDS, pause * POLL_GROWTH)
    _print_task(session, awaited, as_json=as_json)


def _fetch_if(session: Session, number: int, until: Until, rev: int) -> Task | None:
    """Return the task if it is in the awaited state. The database's clock decides whether a lease has ended."""
    if until in ("claimed", "unclaimed"):
        sign = "" if until == "claimed" else "-"
        if not session.send(ListTasks(filter=f"{number} {sign}is:claimed", status="all")).tasks:
            return None
        return session.send(ShowTask(number=number))
    task = session.send(ShowTask(number=number))
    return task if (task.rev != rev if until == "changed" else task.status == until) else None


def _retry_seconds(error: TodoError) -> float:
    """Return the seconds that the server asks to wait, at most a minute."""
    seconds = error.extra.get("retry_after")
    return min(MAX_RETRY_SECONDS, float(seconds)) if isinstance(seconds, int | float) else FIRST_POLL_SECONDS


def _print_task(session: Session, task: Task, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(task)
        return
    from todo_cli.cli.render import text

    zone, absolute = session.load_zone_for([task]), session.absolute_dates
    text.write_wrapped(f"{task.status} {text.format_task(task, zone, session.clock.now, absolute=absolute)}")
