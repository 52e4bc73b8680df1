"""todo edit"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.change import change
from todo_cli.cli.options import (
    Due,
    IfRev,
    Json,
    JsonLines,
    Key,
    NumbersArgument,
    PlanOnly,
    Priority,
    Project,
    numbers,
    priority,
)
from todo_cli.contract.tasks import EditTasks
from todo_cli.errors import Invalid

app = typer.Typer(add_completion=False)

FIELDS = ("due", "project", "priority", "note", "tags")


@app.command()
def edit(
    ctx: typer.Context,
    tasks: NumbersArgument,
    title: Annotated[str | None, typer.Option(help="New title.", metavar="TEXT")] = None,
    due: Due = None,
    project: Project = None,
    prio: Priority = None,
    note: Annotated[str | None, typer.Option(help="New note.", metavar="TEXT")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Add this tag.", metavar="NAME")] = None,
    untag: Annotated[list[str] | None, typer.Option("--untag", help="Remove this tag.", metavar="NAME")] = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", help=f"Empty a field: {', '.join(FIELDS)}.", metavar="FIELD")
    ] = None,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Change fields of tasks; what is not named stays as it is, --clear empties a field.

    todo edit 12 --due 'fri 17:00' --tag phone --untag desk

    todo edit 3 7-9 --project garden --clear due
    """
    given = {"title": title, "due": due, "project": project, "priority": priority(prio), "note": note}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name in clear or ():
        if name not in FIELDS:
            raise Invalid(f"{name!r} cannot be cleared", hint=f"these can: {', '.join(FIELDS)}")
        if name in fields:
            raise Invalid(f"--{name} and --clear {name} exclude each other")
        fields[name] = () if name == "tags" else None
    request = EditTasks(
        numbers=numbers(tasks), if_rev=if_rev, add_tags=tuple(tag or ()), remove_tags=tuple(untag or ()), **fields
    )
    change(ctx, request, "Changed", key, plan=plan, as_json=as_json, as_lines=as_lines)
