"""todo rm"""

from __future__ import annotations

import typer

from todo_cli.cli.change import change
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, NumbersArgument, PlanOnly, numbers
from todo_cli.contract.tasks import DeleteTasks

app = typer.Typer(add_completion=False)


@app.command()
def rm(
    ctx: typer.Context,
    tasks: NumbersArgument,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Move tasks to the bin: all of them or none. They keep their numbers.

    todo rm 12

    todo rm 3 7-9 --json
    """
    request = DeleteTasks(numbers=numbers(tasks), if_rev=if_rev)
    change(ctx, request, "Deleted", key, plan=plan, as_json=as_json, as_lines=as_lines)
