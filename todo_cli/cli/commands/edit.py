"""Change fields of tasks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import (
    Defer,
    Due,
    Every,
    IfRev,
    Json,
    JsonLines,
    Key,
    Parent,
    PlanOnly,
    Priority,
    Project,
    Scheduled,
    Yes,
    optional_fields,
    parse_blockers,
    parse_priority,
)
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.tasks import EditTasks
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FIELDS = ("due", "project", "priority", "note", "tags", "every", "defer", "scheduled", "parent", "after")
_SETS = ("tags", "after")


@app.command(cls=FilterCommand)
def edit(
    ctx: typer.Context,
    tasks: TasksArgument,
    title: Annotated[str | None, typer.Option(help="New title.", metavar="TEXT")] = None,
    due: Due = None,
    project: Project = None,
    prio: Priority = None,
    note: Annotated[str | None, typer.Option(help="New note.", metavar="TEXT")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Add this tag.", metavar="NAME")] = None,
    untag: Annotated[list[str] | None, typer.Option("--untag", help="Remove this tag.", metavar="NAME")] = None,
    every: Every = None,
    defer: Defer = None,
    scheduled: Scheduled = None,
    parent: Parent = None,
    after: Annotated[list[str] | None, typer.Option("--after", help="Wait for these tasks too.", metavar="N")] = None,
    not_after: Annotated[
        list[str] | None, typer.Option("--not-after", help="No longer wait for these tasks.", metavar="N")
    ] = None,
    this: Annotated[bool, typer.Option("--this", help="Of a recurring task change this occurrence alone.")] = False,
    every_one: Annotated[
        bool, typer.Option("--all", help="Of a recurring task move the dates of those to come as well.")
    ] = False,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", help=f"Empty a field: {', '.join(FIELDS)}.", metavar="FIELD")
    ] = None,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Change fields of tasks; what is not named stays as it is, --clear empties a field.

    todo edit 12 --due 'fri 17:00' --tag phone --untag desk

    todo edit 'project:old @phone' --project new --plan

    Of a recurring task a date changes this occurrence, anything else those to come too (but for --this and --all).
    """
    given = {"title": title, "due": due, "project": project, "priority": parse_priority(prio), "note": note}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    fields |= optional_fields(every, defer, scheduled, parent)
    fields |= _links(after, not_after) | _occurrences(this, every_one)
    _meant_to_clear(fields)
    fields |= _cleared(clear or [], fields)
    request = EditTasks(
        **parse_task_args(tasks), if_rev=if_rev, add_tags=tuple(tag or ()), remove_tags=tuple(untag or ()), **fields
    )
    change_tasks(ctx, request, "Changed", key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)


def _links(after: list[str] | None, not_after: list[str] | None) -> dict[str, Any]:
    named = {"add_after": after, "remove_after": not_after}
    return {name: parse_blockers(words) for name, words in named.items() if words}


def _occurrences(this: bool, every_one: bool) -> dict[str, Any]:
    if this and every_one:
        raise Invalid("--this and --all exclude each other")
    return {"occurrences": "this" if this else "all"} if this or every_one else {}


def _meant_to_clear(fields: dict[str, Any]) -> None:
    """`--due ''` and `--due none` are no dates: says how a field is emptied."""
    for name in ("due", "defer", "scheduled", "project", "every"):
        value = fields.get(name)
        if value == "" or (name != "project" and value in ("none", "every none")):
            raise Invalid(f"--{name} has no value", hint=f"to empty the field: --clear {name}")


def _cleared(names: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    for name in names:
        if name not in FIELDS:
            raise Invalid(f"{name!r} cannot be cleared", hint=f"these can: {', '.join(FIELDS)}")
        if name in fields:
            raise Invalid(f"--{name} and --clear {name} exclude each other")
    return {name: () if name in _SETS else None for name in names}
