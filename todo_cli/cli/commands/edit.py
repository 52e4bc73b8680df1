"""Change fields of tasks."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import UNSET

from todo_cli.cli.change_tasks import change_tasks, print_changed
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
    output_form,
    parse_assignee,
    parse_blockers,
    parse_priority,
    parse_reminders,
)
from todo_cli.cli.session import session_of
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
    """Change the named fields of tasks; without fields, edit the tasks in $VISUAL or $EDITOR, as one text.

    todo edit 12 --due 'fri 17:00' --tag phone --untag desk

    todo edit 12 due:tomorrow #home p1

    todo edit 12 14

    todo edit 'project:old @phone' --project new --plan

    For a recurring task, a date changes this occurrence, other fields change
    later ones too. Choose with --this and --all.
    """
    fields = _plain_fields(title=title, due=due, project=project, priority=parse_priority(prio), note=note)
    fields |= optional_fields(every, defer, scheduled, parent, discovered_from) | parse_reminders(remind)
    fields |= parse_assignee(assign) | _dependency_fields(after, not_after) | _occurrence_fields(only_this, every_one)
    names, words = split_field_words(tasks)
    fields |= _clear_none(fields) | _cleared_fields(clear or [], fields)
    fields = words | fields | _tag_fields(words, tag or [], untag or [])
    output: dict[str, Any] = {"plan": plan, "as_json": as_json, "as_lines": as_lines}
    _store_fields(ctx, names, fields, key=key, if_rev=if_rev, yes=yes, **output)


def _plain_fields(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _has_changes(fields: dict[str, Any]) -> bool:
    """Return whether a field is to change; tags to add and to remove are always among the fields."""
    return any(
        value or name not in ("add_tags", "remove_tags") for name, value in fields.items() if name != "occurrences"
    )


def _store_fields(
    ctx: typer.Context,
    names: list[str],
    fields: dict[str, Any],
    *,
    key: str | None,
    if_rev: int | None,
    yes: bool,
    **output: bool,
) -> None:
    """Change the fields; if there are none, open the tasks in the editor. Raise TodoError."""
    if _has_changes(fields):
        request = EditTasks(**parse_task_args(names), if_rev=if_rev, **fields)
        change_tasks(ctx, request, key, yes=yes, past=None, **output)
    elif key or if_rev:
        hint = "for example: todo edit 12 --due tomorrow --key K"
        raise Invalid("--key and --if-rev need a field to change", hint=hint)
    else:
        _edit_in_editor(ctx, names, fields, **output)


def _edit_in_editor(
    ctx: typer.Context, names: list[str], fields: dict[str, Any], *, plan: bool, as_json: bool, as_lines: bool
) -> None:
    """Open the tasks in the editor, and print what was changed there, or the plan of it."""
    from todo_cli.cli.forms.edit_form import edit_in_editor

    session, form, named = session_of(ctx), output_form(as_json, as_lines), parse_task_args(names)
    occurrences = fields.get("occurrences", UNSET)
    if plan:
        from todo_cli.cli.plan_output import make_plan, print_plan

        stored_plan = edit_in_editor(session, named, occurrences, lambda request: make_plan(session, request))
        if stored_plan:
            print_plan(session, stored_plan, as_json=form != "text")
        return
    result = edit_in_editor(session, named, occurrences, session.send)
    if result:
        print_changed(ctx, result, EditTasks.past, form)
        if form == "text":
            from todo_cli.cli.render.late_defer import warn_of_late_defer

            warn_of_late_defer(result.tasks, session.load_zone())


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
    """Return the fields that `--due none` clears, as `--clear due` does. Raise Invalid for `--due ''`."""
    _require_values(fields)
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
