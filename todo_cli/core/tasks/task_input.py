"""A task's fields as people give them, checked and turned into columns."""

from __future__ import annotations

from typing import Any, NoReturn

from msgspec import UNSET

from todo_cli.contract import tasks as ask
from todo_cli.contract.codec import convert_request
from todo_cli.core import validation
from todo_cli.core.tasks import recur
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

RARE = frozenset(("parent", "links", "defer_on", "scheduled_on", "repeat"))
Row = dict[str, Any]
_DATES = ("due", "defer", "scheduled")


async def row(tx: Transaction, task: ask.AddTask | ask.NewTask, *, parse: bool) -> Row:
    """A new task's columns; what few tasks have is only there where it was given."""
    given = _given(captured(task) if parse else task)
    made: Row = {
        "title": validation.line("title", given["title"]),
        "note": validation.storable("note", task.note) if task.note else None,
        "priority": given["priority"],
        "project": validation.project(given["project"]) if given["project"] else None,
        "tags": tags(given["tags"]),
    }
    for name in _DATES:
        if given[name]:
            made |= await validation.dated(tx, name, given[name])
    if given["parent"]:
        made["parent"] = given["parent"]
    if given["after"]:
        made["links"] = sorted(set(given["after"]))
    if given["every"]:
        made |= recur.begun(await recur.every(tx, given["every"]), made)
    return made


def _given(task: ask.AddTask | ask.NewTask) -> Row:
    names = ("title", "due", "priority", "project", "tags", "parent", "after", "defer", "scheduled", "every")
    found = {name: getattr(task, name) for name in names}
    return {name: None if value is UNSET else value for name, value in found.items()}


def captured(task: ask.AddTask | ask.NewTask) -> ask.NewTask:
    """What the title says and what was given beside it, which wins; raises Invalid for what a field cannot hold."""
    from todo_cli.parsing.quick_add import parse_quick_add

    found = {
        name: value for name, value in parse_quick_add(validation.line("title", task.title))._asdict().items() if value
    }
    fields = {name: getattr(task, name) for name in ask.NewTask.__struct_fields__}
    given = {name: value for name, value in fields.items() if value is not UNSET and value not in (None, ())}
    for name in ("tags", "after"):
        if name in found and name in given:
            found[name] = given[name] = tuple(dict.fromkeys((*given[name], *found[name])))
    return convert_request({**given, **found, **{name: given[name] for name in given if name != "title"}}, ask.NewTask)


async def patch(tx: Transaction, request: ask.EditTasks) -> Row:
    """An edit as a patch; raises Invalid for one that changes nothing."""
    made: Row = {"add_tags": tags(request.add_tags), "remove_tags": tags(request.remove_tags)}
    if request.title is not UNSET:
        made["title"] = validation.line("title", request.title)
    if request.note is not UNSET:
        made["note"] = validation.storable("note", request.note) if request.note else None
    if request.project is not UNSET:
        made["project"] = validation.project(request.project) if request.project else None
    if request.tags is not UNSET:
        made["tags"] = tags(request.tags)
    made |= {name: value for name in ("priority", "parent") if (value := getattr(request, name)) is not UNSET}
    made |= {
        name: value for name in ("after", "add_after", "remove_after") if (value := getattr(request, name)) is not UNSET
    }
    for name in _DATES:
        value = getattr(request, name)
        if value is not UNSET:
            made |= await validation.dated(tx, name, value) if value else validation.columns(name, None)
    if request.every is not UNSET:
        made |= {"every": await recur.every(tx, request.every)} if request.every else {"repeat": None}
    if made == {"add_tags": [], "remove_tags": []}:
        _nothing()
    return made | _reach(request, made)


_SERIES = ("title", "note", "priority", "project", "tags", "parent")
_PUT_OFF = ("defer_on", "defer_at", "scheduled_on", "scheduled_at")


def _reach(request: ask.EditTasks, made: Row) -> Row:
    """Which of the fields those to come are to have (`show`), and which not (`hide`), where the task recurs."""
    if request.every and request.due is None:
        raise Invalid("a task that recurs needs a date", hint="leave the due date, or take away --every too")
    tagged = bool(made["add_tags"] or made["remove_tags"])
    series = [name for name in _SERIES if name in made or (name == "tags" and tagged)]
    dates = [name for name in _PUT_OFF if name in made]
    if request.occurrences == "this":
        return {"hide": [*series, *dates], "show": []}
    if request.occurrences == "all":
        return {"hide": [], "show": [*series, *dates]} | ({"anchor": True} if request.due else {})
    return {"hide": dates, "show": series}


def tags(given: tuple[str, ...]) -> list[str]:
    """Each once, in order."""
    return sorted({validation.tag(tag) for tag in given})


def _nothing() -> NoReturn:
    raise Invalid("nothing to change was given", hint="for example: todo edit 12 --due tomorrow")
