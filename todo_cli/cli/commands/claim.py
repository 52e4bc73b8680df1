"""Claim a task, or the next free one."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated

import typer

from todo_cli.cli.filter_args import FilterCommand, join_filter
from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import parse_task_args
from todo_cli.contract.claims import DEFAULT_LEASE_SECONDS, MAX_LEASE_SECONDS, ClaimTask
from todo_cli.contract.tasks import Task
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def claim(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="The task's number; with --next a filter.", metavar="[N | FILTER]", show_default=False),
    ] = None,
    following: Annotated[bool, typer.Option("--next", help="The next task that is free and matches.")] = False,
    lease: Annotated[
        str | None, typer.Option("--lease", help="For how long: 90s, 15m, 1h30m (15m).", metavar="HOW LONG")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Claim a task: until its lease runs out nobody else can. To claim it again with the same token renews the lease.

    The next one is the one due soonest, then the one added first, of those that are ready and that nobody holds: many
    workers get different ones. Where there is none the exit code is 11. `done` and `release` give it up.

    todo claim --next 'project:builds @linux' --lease 15m --json

    todo claim 12
    """
    if following:
        text = join_filter(words)
        request = ClaimTask(filter=text, lease=_seconds(lease)) if text else ClaimTask(lease=_seconds(lease))
    else:
        request = ClaimTask(number=_number(words or []), lease=_seconds(lease))
    session = session_of(ctx)
    _say(session, session.send(request, key), as_json=as_json)


def _number(words: list[str]) -> int:
    found: tuple[int, ...] = parse_task_args(words).get("numbers", ()) if words else ()
    if len(found) != 1:
        raise Invalid("which task to claim is not said", hint="todo claim 12, or todo claim --next 'project:home'")
    return found[0]


def _seconds(words: str | None) -> int:
    if words is None:
        return DEFAULT_LEASE_SECONDS
    from todo_cli.parsing.durations import parse_duration

    seconds = math.ceil(parse_duration(words))
    if seconds > MAX_LEASE_SECONDS:
        raise Invalid("a lease is at most 7 days", hint="renew it: claim the task again")
    return seconds


def _say(session: Session, task: Task, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(task)
        return
    from todo_cli.cli.render import text

    zone, now = text.load_zone(session.settings.timezone), datetime.now(UTC)
    text.write(f"Claimed {text.format_task(task, zone, now)}")
    if task.claimed_until:
        text.note(f"yours until {task.claimed_until.astimezone(zone):%Y-%m-%d %H:%M:%S}")
