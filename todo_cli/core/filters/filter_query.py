"""Compile a filter into one fragment of SQL: its tree, its implied conditions, and the views it names.

Conditions that an index can serve (status, project, tag, priority, a range of due dates, numbers, words) are plain
conditions joined by AND, where the planner sees them through row-level security.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.core import validation
from todo_cli.core.filters.fields_sql import DATES
from todo_cli.core.filters.filter_sql import Conditions
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound
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
    make_not,
    make_or,
    measure_depth,
    walk_terms,
)
from todo_cli.parsing.filter_parser import parse_filter
from todo_cli.parsing.filter_vocabulary import ANY, NONE, suggest

MAX_TERMS_WITH_VIEWS = 200
MAX_VIEW_DEPTH = 10  # views that name views
MAX_TREE_DEPTH = 100  # of the tree after its views are expanded

STATUSES: tuple[LiteralString, ...] = ("open", "done", "deleted")

VIEWS = Sql("""
SELECT coalesce(
         json_object_agg(name, json_build_object('filter', filter, 'sort', sort)), '{}')::text
  FROM todo.views
 WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid""")


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


class StoredView(msgspec.Struct):
    """A view as the database stores it."""

    filter: str
    sort: str | None = None


class ParsedFilter(NamedTuple):
    """The tree of a filter with its views expanded. `sort` is the view's own if the filter is a single view."""

    node: Node
    sort: str | None


async def parse_with_views(tx: Transaction, text: str) -> ParsedFilter:
    """Parse a filter and expand its views. Raise Invalid, NotFound for a missing view, Conflict for a cycle."""
    node = parse_filter(validation.check_text("filter", text))
    if not any(isinstance(term, ViewTerm) for term in walk_terms(node)):
        return ParsedFilter(node, None)
    views = decode(await tx.finish(VIEWS) or "{}", dict[str, StoredView])
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


def expand_views(node: Node, views: dict[str, str], *names: str) -> Node:
    """Replace every view by its filter. Raise NotFound, Conflict for a cycle, or Invalid.

    names: the view whose filter this tree becomes, if it is about to be saved.
    """
    return _ViewExpander(views).expand(node, names)


class _ViewExpander:
    """Expands each view once, and counts terms on the way: views of views could otherwise grow to any size."""

    def __init__(self, views: dict[str, str]) -> None:
        self._views = views
        self._trees: dict[str, Node] = {}

    def expand(self, node: Node, path: tuple[str, ...]) -> Node:
        """Expand one tree. `path` is the views that led to it."""
        expanded = self._replace_views(node, lambda view: self._expand_view(view, path))
        if sum(1 for _ in walk_terms(expanded)) > MAX_TERMS_WITH_VIEWS:
            raise Invalid(f"the filter has more than {MAX_TERMS_WITH_VIEWS} terms, with those of its views")
        if measure_depth(expanded) > MAX_TREE_DEPTH or len(path) > MAX_VIEW_DEPTH:
            raise Invalid("the views are nested too deep", hint="write out the filter of one of them")
        return expanded

    def _replace_views(self, node: Node, replace: Callable[[ViewTerm], Node]) -> Node:
        match node:
            case And(parts):
                return make_and([self._replace_views(part, replace) for part in parts])
            case Or(parts):
                return make_or([self._replace_views(part, replace) for part in parts])
            case Not(part):
                return make_not(self._replace_views(part, replace))
            case ViewTerm():
                return replace(node)
            case _:
                return node

    def _expand_view(self, view: ViewTerm, path: tuple[str, ...]) -> Node:
        name = view.name
        if name in path:
            cycle = " names ".join(f":{step}" for step in (*path[path.index(name) :], name))
            raise Conflict(f"the views form a cycle: {cycle}")
        if name not in self._views:
            similar = suggest(name, list(self._views), ":{}")
            raise NotFound(f"there is no view :{name[:100]}", hint=similar or "list views with: todo view list")
        if name not in self._trees:
            try:
                node = parse_filter(self._views[name])
            except Invalid as error:
                raise Invalid(f"in the view :{name}: {error.detail}", hint=error.hint) from None
            self._trees[name] = self.expand(node, (*path, name))
        return self._trees[name]
