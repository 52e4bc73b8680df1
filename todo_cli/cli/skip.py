"""todo skip"""

from __future__ import annotations

import typer

from todo_cli.cli.change import change
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, NumbersArgument, PlanOnly, numbers
from todo_cli.contract.work import SkipTasks

app = typer.Typer(add_completion=False)


@app.command()
def skip(
    ctx: typer.Context,
    tasks: NumbersArgument,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Let one occurrence of recurring tasks pass: they move on to their next date.

    todo skip 12

    todo skip 12 --plan
    """
    request = SkipTasks(numbers=numbers(tasks), if_rev=if_rev)
    change(ctx, request, "Skipped", key, plan=plan, as_json=as_json, as_lines=as_lines)
