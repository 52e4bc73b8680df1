"""Claim a task, or the next available one."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from todo_cli.cli.filter_args import FilterCommand, join_filter
from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import parse_task_args
from todo_cli.contract.claims import ClaimTask
from todo_cli.contract.limits import DEFAULT_LEASE_SECONDS, MAX_LEASE_SECONDS
from todo_cli.contract.tasks import Task
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def claim(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(help="Task number, or a filter with --next.", metavar="[N | FILTER]", show_default=False),
    ] = None,
    following: Annotated[bool, typer.Option("--next", help="Claim the next available task that matches.")] = False,
    lease: Annotated[
        str | None, typer.Option("--lease", help="Duration of the claim: 90s, 15m, 1h30m (15m).", metavar="DURATION")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Claim a task, so that nobody else can until the lease ends.

    Claim it again with the same token to renew the lease. "todo done" and
    "todo release" end the claim.
    With --next, claim the ready task that is due soonest, or was added first.
    Any number of workers get different tasks. Exit with 11 if there is none.

    todo claim --next 'project:builds @linux' --lease 15m --json

    todo claim 12
    """
    if following:
        filter = join_filter(words)
        request = ClaimTask(filter=filter, lease=_seconds(lease)) if filter else ClaimTask(lease=_seconds(lease))
    else:
        request = ClaimTask(number=_parse_number(words or []), lease=_seconds(lease))
    session = session_of(ctx)
    _print_claimed(session, session.send(request, key), as_json=as_json)


def _parse_number(words: list[str]) -> int:
    numbers: tuple[int, ...] = parse_task_args(words).get("numbers", ()) if words else ()
    if len(numbers) != 1:
        raise Invalid("name one task to claim", hint="todo claim 12, or todo claim --next 'project:home'")
    return numbers[0]


def _seconds(words: str | None) -> int:
    if words is None:
        return DEFAULT_LEASE_SECONDS
    from todo_cli.parsing.durations import parse_duration

    seconds = math.ceil(parse_duration(words))
    if seconds > MAX_LEASE_SECONDS:
        raise Invalid("a lease is at most 7 days", hint="renew it later by claiming the task again")
    return seconds


def _print_claimed(session: Session, task: Task, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(task)
        return
    from todo_cli.cli.render import text

    zone, now = session.load_zone(), session.clock.now
    text.write_wrapped(f"Claimed {text.format_task(task, zone, now, absolute=session.absolute_dates)}")
    if task.claimed_until:
        text.note(f"yours until {task.claimed_until.astimezone(zone):%Y-%m-%d %H:%M:%S}")
