"""The filter of a token: compiled to JSON that the database judges tasks by (`todo.matches_reach`).

It may only name what a change of the task itself decides: project, tags, priority, parent and number. A term that
depends on the time, on the task's status or on other tasks would let a task leave the filter by itself.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from todo_cli.core.tasks.rows import NO_PRIORITY, TaskRow
from todo_cli.parsing.filter_ast import And, FieldTerm, Node, Not, Numbers, Or, TextTerm, ViewTerm
from todo_cli.parsing.filter_vocabulary import ANY, NONE, filter_error

Reach = list[Any]

EVERYTHING: Reach = ["and", []]
"""The reach of a token that is limited in other ways."""

_HAS: dict[str, str] = {
    "project": "has_project",
    "tag": "has_tags",
    "tags": "has_tags",
    "priority": "has_priority",
    "parent": "has_parent",
}
_HINT = "it can name project:, tag:, priority:, parent: and numbers, for example: 'project:groceries or @shop'"


def compile_reach(node: Node) -> Reach:
    """Return a filter as JSON; raises Invalid for a term that a token's filter cannot have."""
    match node:
        case And(parts):
            return ["and", [compile_reach(part) for part in parts]]
        case Or(parts):
            return ["or", [compile_reach(part) for part in parts]]
        case Not(part):
            return ["not", compile_reach(part)]
        case Numbers(ranges):
            return ["numbers", [list(pair) for pair in ranges]]
        case FieldTerm():
            return _compile_field(node)
        case TextTerm(_, at) | ViewTerm(_, at):
            raise filter_error(at, "the filter of a token cannot search for words", _HINT)


def _compile_field(term: FieldTerm) -> Reach:
    field, value = term.field, term.value
    if field == "has" and value in _HAS:
        return [_HAS[value]]
    if field in ("project", "tag", "priority", "parent"):
        if value in (NONE, ANY) and term.sign == ":":
            return [_HAS[field]] if value == ANY else ["not", [_HAS[field]]]
        if field == "project" and term.sign == ":" and value.endswith((".*", "/*")):
            return ["projects", value[:-2]]
        return [field if term.sign in ":=" else f"{field}{term.sign}", value]
    if (field, value) in (("status", "all"), ("is", "all")):
        return EVERYTHING
    raise filter_error(term.at, f"the filter of a token cannot depend on {field}:{value}", _HINT)


def fill_fields(reach: Reach | None, row: TaskRow) -> TaskRow:
    """Return a new task with those empty fields that it must have to match the filter of its token."""
    if reach is None:
        return row
    kind, value = reach[0], reach[1] if len(reach) > 1 else None
    match kind:
        case "and":
            for part in reach[1]:
                row = fill_fields(part, row)
        case "project" | "projects" if row.project is None:
            return replace(row, project=value)
        case "tag" if value not in row.tags:
            return replace(row, tags=tuple(sorted((*row.tags, reach[1]))))
        case "priority" if row.priority == NO_PRIORITY:
            return replace(row, priority=int(reach[1]))
    return row
