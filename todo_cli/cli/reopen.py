"""todo reopen"""

from __future__ import annotations

import typer

from todo_cli.cli.change import change
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, NumbersArgument, PlanOnly, numbers
from todo_cli.contract.tasks import ReopenTasks

app = typer.Typer(add_completion=False)


@app.command()
def reopen(
    ctx: typer.Context,
    tasks: NumbersArgument,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Open done tasks again: all of them or none.

    todo reopen 3

    todo reopen 3 4 --json
    """
    request = ReopenTasks(numbers=numbers(tasks), if_rev=if_rev)
    change(ctx, request, "Reopened", key, plan=plan, as_json=as_json, as_lines=as_lines)
