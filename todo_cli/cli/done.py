"""todo done"""

from __future__ import annotations

from typing import Annotated

import typer
from msgspec import UNSET

from todo_cli.cli.change import change
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, NumbersArgument, PlanOnly, numbers
from todo_cli.contract.tasks import CompleteTasks

app = typer.Typer(add_completion=False)


@app.command()
def done(
    ctx: typer.Context,
    tasks: NumbersArgument,
    with_subtasks: Annotated[
        bool, typer.Option("--with-subtasks", help="Finish their open subtasks, too, all the way down.")
    ] = False,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Mark tasks as done: all of them, or none when one is missing. A recurring one makes its next occurrence.

    todo done 3 7-9

    todo done 12 --if-rev 40 --json
    """
    request = CompleteTasks(numbers=numbers(tasks), if_rev=if_rev, with_subtasks=with_subtasks or UNSET)
    change(ctx, request, "Done", key, plan=plan, as_json=as_json, as_lines=as_lines)
