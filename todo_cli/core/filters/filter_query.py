"""Compile a filter into one fragment of SQL: its tree and its implied conditions.

Conditions that an index can serve (status, project, tag, priority, a range of due dates, numbers, words) are plain
conditions joined by AND, where the planner sees them through row-level security.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

from todo_cli.core import validation
from todo_cli.core.filters.fields_sql import DATES
from todo_cli.core.filters.filter_sql import Conditions
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import (
    And,
    FieldTerm,
    Node,
    Not,
    Numbers,
    Or,
    TextTerm,
    ViewTerm,
    make_and,
    walk_terms,
)
from todo_cli.parsing.filter_parser import parse_filter
from todo_cli.parsing.filter_vocabulary import ANY, NONE

STATUSES: tuple[LiteralString, ...] = ("open", "done", "deleted")


class CompiledFilter(NamedTuple):
    """A filter as SQL.

    where: the conditions, joined by AND, over alias `t` of todo.tasks; values: their parameters, named f0, f1 and so on.
    status: the status that every matching task has, if there is only one.
    words: in a ranked search, the full-text call that the statement joins as `w`.
    finds: every full-text call in `where`.
    hidden: the conditions of the deferred tasks that the filter leaves out: those that are deferred to a day, and those
        that are deferred to an instant. Apart from each other, each is served by an index of its own.
    """

    where: LiteralString
    values: dict[str, Any]
    status: str | None
    words: LiteralString | None
    finds: tuple[LiteralString, ...] = ()
    hidden: tuple[LiteralString, ...] = ()


class ParsedFilter(NamedTuple):
    """The tree of a filter with its views expanded. `sort` is the view's own if the filter is a single view."""

    node: Node
    sort: str | None


async def parse_with_views(tx: Transaction, text: str) -> ParsedFilter:
    """Parse a filter and expand its views. Raise Invalid, NotFound for a missing view, Conflict for a cycle."""
    node = parse_filter(validation.check_text("filter", text))
    if not any(isinstance(term, ViewTerm) for term in walk_terms(node)):
        return ParsedFilter(node, None)
    from todo_cli.core.filters.view_expansion import expand_views, read_views

    views = await read_views(tx)
    expanded = expand_views(node, {name: view.filter for name, view in views.items()})
    return ParsedFilter(expanded, views[node.name].sort if isinstance(node, ViewTerm) else None)


async def compile_filter(
    tx: Transaction,
    node: Node,
    *,
    status: str | None = "open",
    deferred: bool = False,
    ranked: bool = False,
    moment: datetime | None = None,
) -> CompiledFilter:
    """Compile the tree to SQL.

    status: the status that a filter implies if it names none (None: any).
    deferred: include tasks that are deferred to a later date.
    ranked: leave the full-text search to the statement, which joins it to read its score.
    moment: the moment of the past whose tasks the statement reads (`core/history/past_sql.py`).
    """
    terms = list(walk_terms(node))
    dates = [term.value for term in terms if isinstance(term, FieldTerm) and _has_date(term)]
    clock = await validation.read_clock_for(tx, dates) if dates else None
    clock = clock._replace(now=moment) if clock and moment else clock
    conditions = Conditions(clock, tx.caller.zone, is_past=moment is not None)
    parts: list[Node] = list(node.parts) if isinstance(node, And) else [node]
    has_status = any(_is_about_status(term) for term in terms)
    if not has_status and status is not None:
        parts.insert(0, FieldTerm("status", ":", status))
    only_status = _find_status(parts)
    if moment is None:
        conditions.status = next((known for known in STATUSES if known == only_status), "all")
    text_terms = [part for part in parts if isinstance(part, TextTerm)] if ranked else []
    clauses = [_compile(make_and([part for part in parts if part not in text_terms]), conditions)]
    hides = not has_status and status == "open" and not deferred and not any(_is_about_defer(term) for term in terms)
    not_deferred: list[LiteralString] = [conditions.not_deferred()] if hides else []
    finds = tuple(conditions.finds)
    phrases = conditions.phrases(text_terms)
    where: LiteralString = " AND ".join([*clauses, *not_deferred, *phrases])
    words = conditions.find(text_terms) if text_terms else None
    deferred_terms = conditions.match_deferred() if hides else ()
    tx.is_momentary |= conditions.has_instant
    hidden = tuple(" AND ".join([*clauses, term, *phrases]) for term in deferred_terms)
    return CompiledFilter(where, conditions.values, only_status, words, finds, hidden)


def _has_date(term: FieldTerm) -> bool:
    is_date = term.field in (*DATES, "every") and term.value not in (NONE, ANY)
    return is_date or (term.field, term.value) == ("is", "today")


def _is_about_status(term: Node) -> bool:
    if not isinstance(term, FieldTerm) or (term.field, term.value) == ("done", NONE):
        return False
    return term.field in ("status", "done") or (term.field == "is" and term.value in STATUSES)


def _is_about_defer(term: Node) -> bool:
    if isinstance(term, Numbers):
        return True
    return isinstance(term, FieldTerm) and (term.field == "defer" or (term.field, term.value) == ("is", "deferred"))


def _find_status(parts: Iterable[Node]) -> str | None:
    """Return the status that every matching task has, if one of the parts names it."""
    for part in parts:
        if isinstance(part, FieldTerm) and part.field in ("status", "is", "done"):
            status = "done" if part.field == "done" and part.value != NONE else part.value
            if status in STATUSES:
                return status
    return None


def _compile(node: Node, conditions: Conditions) -> LiteralString:
    match node:
        case And(parts):
            return " AND ".join(_and(parts, conditions)) or "true"
        case Or(parts):
            return f"({' OR '.join(_or(parts, conditions))})"
        case Not(FieldTerm("tag", ":", value) as part) if value not in (NONE, ANY):
            return conditions.without_tag(part)
        case Not(part):
            return f"({_compile(part, conditions)}) IS NOT TRUE"
        case Numbers():
            return conditions.numbers(node)
        case TextTerm():
            return conditions.words([node])
        case FieldTerm():
            return conditions.field(node)
        case ViewTerm(name):
            raise Invalid(f"the view :{name} was not expanded")


def _and(parts: Sequence[Node], conditions: Conditions) -> list[LiteralString]:
    """Compile each part, and all words as one search."""
    text_terms = [part for part in parts if isinstance(part, TextTerm)]
    clauses = [_compile(part, conditions) for part in parts if not isinstance(part, TextTerm)]
    return [*clauses, conditions.words(text_terms)] if text_terms else clauses


def _or(parts: Sequence[Node], conditions: Conditions) -> list[LiteralString]:
    """Compile each part. Values of the same field become one condition, so that an index serves them."""
    clauses: list[LiteralString] = []
    rest = list(parts)
    for name in ("project", "tag", "priority"):
        same = [part for part in rest if isinstance(part, FieldTerm) and part.field == name and _is_plain_value(part)]
        if len(same) > 1:
            rest = [part for part in rest if part not in same]
            clauses.append(conditions.any_of(same))
    return clauses + [f"({_compile(part, conditions)})" for part in rest]


def _is_plain_value(term: FieldTerm) -> bool:
    return term.sign in ":=" and term.value not in (NONE, ANY) and not term.value.endswith(("/*", ".*"))
