"""Claim a task, or the next available one."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.filter_args import FilterCommand, join_filter
from todo_cli.cli.lease import Lease, parse_lease
from todo_cli.cli.options import Json, Key
from todo_cli.cli.project_filter import filter_project
from todo_cli.cli.session import Session, session_of
from todo_cli.cli.task_args import parse_task_args
from todo_cli.contract.claims import ClaimTask, TakeTask
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
    lease: Lease = None,
    take: Annotated[
        bool, typer.Option("--take", help="Take over the claim of another worker; needs --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why the claim is taken over; the history keeps it.", metavar="TEXT")
    ] = None,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Claim a task, so that nobody else can until the lease ends.

    The claim has a fence, a number: pass it to later writes as --fence, or in
    TODO_FENCE, and they are refused once another claim has followed. Renew the
    lease with "todo heartbeat". "todo done" and "todo release" end the claim.
    With --next, claim the ready task that is due soonest, or was added first.
    Any number of workers get different tasks. Exit with 11 if there is none.

    todo claim --next 'project:builds @linux' --lease 15m --json

    todo claim 12 --take --reason 'its worker has crashed'
    """
    session = session_of(ctx)
    request = _make_request(session, words or [], parse_lease(lease), following=following, take=take, reason=reason)
    _print_claimed(session, session.send(request, key), request.past, as_json=as_json)


def _make_request(
    session: Session, words: list[str], lease: int, *, following: bool, take: bool, reason: str | None
) -> ClaimTask | TakeTask:
    if take and following:
        raise Invalid("--take and --next cannot be used together", hint="--next claims only what nobody has")
    if take and not (reason and reason.strip()):
        raise Invalid("--take needs a reason", hint="for example: --reason 'its worker has crashed'")
    if reason and not take:
        raise Invalid("--reason needs --take")
    if take:
        return TakeTask(number=_parse_number(words), lease=lease, reason=reason or "")
    if not following:
        return ClaimTask(number=_parse_number(words), lease=lease)
    filter = join_filter(words) or filter_project(session)
    return ClaimTask(filter=filter, lease=lease) if filter else ClaimTask(lease=lease)


def _parse_number(words: list[str]) -> int:
    numbers: tuple[int, ...] = parse_task_args(words).get("numbers", ()) if words else ()
    if len(numbers) != 1:
        raise Invalid("name one task to claim", hint="todo claim 12, or todo claim --next 'project:home'")
    return numbers[0]


def _print_claimed(session: Session, task: Task, past: str, *, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(task)
        return
    from todo_cli.cli.render import text

    zone, now = session.load_zone(), session.clock.now
    text.write_wrapped(f"{past} {text.format_task(task, zone, now, absolute=session.absolute_dates)}")
    if task.claimed_until:
        text.note(f"yours until {task.claimed_until.astimezone(zone):%Y-%m-%d %H:%M:%S}, with the fence {task.fence}")
