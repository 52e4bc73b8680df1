"""Renew the leases of your claims."""

from __future__ import annotations

import typer

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.lease import Lease, parse_lease
from todo_cli.cli.options import Json, JsonLines, Key
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.claims import RenewClaims

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def heartbeat(
    ctx: typer.Context,
    tasks: TasksArgument,
    lease: Lease = None,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Renew the leases of your claims. Nothing is claimed: exit with 6 where a claim has ended or was taken over.

    todo heartbeat 12 --fence 41

    todo heartbeat 12 13 --lease 1h
    """
    request = RenewClaims(**parse_task_args(tasks), lease=parse_lease(lease))
    change_tasks(ctx, request, key, plan=False, yes=True, as_json=as_json, as_lines=as_lines)
