"""todo restore"""

from __future__ import annotations

import typer

from todo_cli.cli.change import change
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, NumbersArgument, PlanOnly, numbers
from todo_cli.contract.tasks import RestoreTasks

app = typer.Typer(add_completion=False)


@app.command()
def restore(
    ctx: typer.Context,
    tasks: NumbersArgument,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Bring tasks back from the bin, open or done as they were.

    todo restore 12

    todo restore 3 7-9 --json
    """
    request = RestoreTasks(numbers=numbers(tasks), if_rev=if_rev)
    change(ctx, request, "Restored", key, plan=plan, as_json=as_json, as_lines=as_lines)
