"""todo start"""

from __future__ import annotations

import typer

from todo_cli.cli.change import change
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, NumbersArgument, PlanOnly, numbers
from todo_cli.contract.work import StartTasks

app = typer.Typer(add_completion=False)


@app.command()
def start(
    ctx: typer.Context,
    tasks: NumbersArgument,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Say that work on tasks has begun. Their time is counted until they are stopped or done.

    todo start 12

    todo start 3 7 --json
    """
    request = StartTasks(numbers=numbers(tasks), if_rev=if_rev)
    change(ctx, request, "Started", key, plan=plan, as_json=as_json, as_lines=as_lines)
