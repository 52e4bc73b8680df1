"""Change fields of tasks."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.change_tasks import change_tasks
from todo_cli.cli.field_words import split_field_words
from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import (
    Assign,
    Defer,
    DiscoveredFrom,
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
    Remind,
    Scheduled,
    Yes,
    optional_fields,
    parse_assignee,
    parse_blockers,
    parse_priority,
    parse_reminders,
)
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.tasks import EditTasks
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

FIELDS = (
    "due",
    "project",
    "priority",
    "note",
    "tags",
    "every",
    "defer",
    "scheduled",
    "parent",
    "after",
    "remind",
    "discovered-from",
    "assign",
)
_SET_FIELDS = ("tags", "after", "remind")

Clear = Annotated[
    list[str] | None, typer.Option("--clear", help=f"Clear a field: {', '.join(FIELDS)}.", metavar="FIELD")
]


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
    remind: Remind = None,
    parent: Parent = None,
    discovered_from: DiscoveredFrom = None,
    after: Annotated[list[str] | None, typer.Option("--after", help="Add these blockers.", metavar="N")] = None,
    not_after: Annotated[list[str] | None, typer.Option(help="Remove these blockers.", metavar="N")] = None,
    assign: Assign = None,
    only_this: Annotated[bool, typer.Option("--this", help="Change only this occurrence of a recurring task.")] = False,
    every_one: Annotated[bool, typer.Option("--all", help="Move the dates of later occurrences too.")] = False,
    clear: Clear = None,
    if_rev: IfRev = None,
    plan: PlanOnly = False,
    yes: Yes = False,
    key: Key = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Change fields of tasks. Fields that are not named stay as they are; --clear empties a field.

    todo edit 12 --due 'fri 17:00' --tag phone --untag desk

    todo edit 12 due:tomorrow #home p1

    todo edit 'project:old @phone' --project new --plan

    For a recurring task, a date changes this occurrence, other fields change
    later ones too. Choose with --this and --all.
    """
    values = {"title": title, "due": due, "project": project, "priority": parse_priority(prio), "note": note}
    fields: dict[str, Any] = {name: value for name, value in values.items() if value is not None}
    fields |= optional_fields(every, defer, scheduled, parent, discovered_from) | parse_reminders(remind)
    fields |= parse_assignee(assign) | _dependency_fields(after, not_after) | _occurrence_fields(only_this, every_one)
    _require_values(fields)
    fields |= _clear_none(fields) | _cleared_fields(clear or [], fields)
    names, words = split_field_words(tasks)
    fields = words | fields | _tag_fields(words, tag or [], untag or [])
    request = EditTasks(**parse_task_args(names), if_rev=if_rev, **fields)
    change_tasks(ctx, request, key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)


def _tag_fields(words: dict[str, Any], added: list[str], removed: list[str]) -> dict[str, Any]:
    return {"add_tags": (*words.get("add_tags", ()), *added), "remove_tags": tuple(removed)}


def _dependency_fields(after: list[str] | None, not_after: list[str] | None) -> dict[str, Any]:
    options = {"add_after": after, "remove_after": not_after}
    return {name: parse_blockers(words) for name, words in options.items() if words}


def _occurrence_fields(only_this: bool, every_one: bool) -> dict[str, Any]:
    if only_this and every_one:
        raise Invalid("--this and --all cannot be used together")
    return {"occurrences": "this" if only_this else "all"} if only_this or every_one else {}


def _require_values(fields: dict[str, Any]) -> None:
    """Raise Invalid for `--due ''`, with the option that clears the field."""
    for name in ("due", "defer", "scheduled", "project", "every"):
        if fields.get(name) == "":
            raise Invalid(f"--{name} has no value", hint=f"to clear the field: --clear {name}")


def _clear_none(fields: dict[str, Any]) -> dict[str, None]:
    """Return the fields that `--due none` clears, as `--clear due` does."""
    names = ("due", "defer", "scheduled", "every")
    return {name: None for name in names if str(fields.get(name)).lower() in ("none", "every none") and name in fields}


def _cleared_fields(names: list[str], fields: dict[str, Any]) -> dict[str, Any]:
    for name in names:
        if name not in FIELDS:
            raise Invalid(f"{name!r} cannot be cleared", hint=f"fields to clear: {', '.join(FIELDS)}")
        if _field_of(name) in fields:
            raise Invalid(f"--{name} and --clear {name} cannot be used together")
    return {_field_of(name): () if name in _SET_FIELDS else None for name in names}


def _field_of(option: str) -> str:
    return "assigned_to" if option == "assign" else option.replace("-", "_")
