"""A filter as one fragment of SQL: its tree, what it leaves unsaid, and the views that it names.

What an index can serve (status, project, tag, priority, a range of due dates, numbers, words) stands as a plain condition
between ANDs, where the planner sees it through row-level security.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, LiteralString, NamedTuple

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.core import validation
from todo_cli.core.filters.fields_sql import DATES
from todo_cli.core.filters.terms_sql import Conditions
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
    walk_terms,
)
from todo_cli.parsing.filter_parser import parse_filter
from todo_cli.parsing.filter_vocabulary import ANY, NONE, suggest

MAX_TERMS_WITH_VIEWS = 200  # with those of the views it names
MAX_VIEW_DEPTH, MAX_TREE_DEPTH = 10, 100  # views in views; what stands inside of each other then

STATUSES: tuple[LiteralString, ...] = ("open", "done", "deleted")

VIEWS = Sql("""SELECT coalesce(json_object_agg(name, json_build_object('filter', filter, 'sort', sort)), '{}')::text FROM todo.views
WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid""")


class CompiledFilter(NamedTuple):
    """`where`: conditions joined by AND; `status`: the one that they all have; `words`: the call that finds its words, to be joined as `w`, where `ranked`; `finds`: all calls of full text in `where`."""

    where: LiteralString
    values: dict[str, Any]
    status: str | None
    words: LiteralString | None
    finds: tuple[LiteralString, ...] = ()


async def where(
    tx: Transaction, text: str, *, status: str | None = "open", deferred: bool = False
) -> tuple[LiteralString, dict[str, Any]]:
    """The filter as conditions over alias `t` of todo.tasks, and their values, named f0, f1 and so on; raises Invalid.

    `status` is what a filter means that does not speak of it (None: any); `deferred`: also what is put off to later.
    """
    found = await compile_filter(tx, (await parse_with_views(tx, text)).node, status=status, deferred=deferred)
    return found.where, found.values


class StoredView(msgspec.Struct):
    """A view as it is stored."""

    filter: str
    sort: str | None = None


class ParsedFilter(NamedTuple):
    """A filter's tree with its views opened; `sort`: that of the view, where the filter is nothing but one."""

    node: Node
    sort: str | None


async def parse_with_views(tx: Transaction, text: str) -> ParsedFilter:
    """The filter's meaning; raises Invalid, NotFound for a view, Conflict for views in a circle."""
    node = parse_filter(validation.storable("filter", text))
    if not any(isinstance(leaf, ViewTerm) for leaf in walk_terms(node)):
        return ParsedFilter(node, None)
    saved = decode(await tx.look(VIEWS) or "{}", dict[str, StoredView])
    whole = expand_views(node, {name: view.filter for name, view in saved.items()})
    return ParsedFilter(whole, saved[node.name].sort if isinstance(node, ViewTerm) else None)


async def compile_filter(
    tx: Transaction, node: Node, *, status: str | None = "open", deferred: bool = False, ranked: bool = False
) -> CompiledFilter:
    """The tree as SQL; `ranked`: the statement joins what full text finds by itself, to know its score."""
    said = list(walk_terms(node))
    zone = tx.caller.zone
    if zone is None and any(_needs_zone(leaf) for leaf in said):
        zone = await validation.zone(tx)
    made = Conditions(datetime.now(UTC), zone)
    parts: list[Node] = list(node.parts) if isinstance(node, And) else [node]
    spoken = any(_speaks_of_status(leaf) for leaf in said)
    if not spoken and status is not None:
        parts.insert(0, FieldTerm("status", ":", status))
    single = _single(parts)
    made.status = next((one for one in STATUSES if one == single), "all")
    found = [part for part in parts if isinstance(part, TextTerm)] if ranked else []
    texts = [_sql(make_and([part for part in parts if part not in found]), made)]
    if not spoken and status == "open" and not deferred and not any(_speaks_of_deferral(leaf) for leaf in said):
        texts.append(made.shown())
    finds = tuple(made.finds)
    return CompiledFilter(
        " AND ".join([*texts, *made.phrases(found)]), made.values, single, made.find(found) if found else None, finds
    )


def _needs_zone(leaf: Node) -> bool:
    if not isinstance(leaf, FieldTerm):
        return False
    return (leaf.field in DATES and leaf.value not in (NONE, ANY)) or (leaf.field, leaf.value) == (
        "is",
        "today",
    )


def _speaks_of_status(leaf: Node) -> bool:
    if not isinstance(leaf, FieldTerm):
        return False
    if leaf.field == "done":
        return leaf.value != NONE
    return leaf.field == "status" or (leaf.field == "is" and leaf.value in STATUSES)


def _speaks_of_deferral(leaf: Node) -> bool:
    if isinstance(leaf, Numbers):
        return True
    return isinstance(leaf, FieldTerm) and (leaf.field == "defer" or (leaf.field, leaf.value) == ("is", "deferred"))


def _single(parts: list[Node]) -> str | None:
    """The status that every row has, if one of the parts says so."""
    said = ["done" if part.field == "done" and part.value != NONE else part.value
            for part in parts if isinstance(part, FieldTerm) and part.field in ("status", "is", "done")]  # fmt: skip
    return next((one for one in said if one in STATUSES), None)


def _sql(node: Node, made: Conditions) -> LiteralString:
    match node:
        case And(parts):
            return " AND ".join(_and(parts, made)) or "true"
        case Or(parts):
            return f"({' OR '.join(_or(parts, made))})"
        case Not(FieldTerm("tag", ":", value) as part) if value not in (NONE, ANY):
            return made.untagged(part)
        case Not(part):
            return f"({_sql(part, made)}) IS NOT TRUE"
        case Numbers():
            return made.numbers(node)
        case TextTerm():
            return made.words([node])
        case FieldTerm():
            return made.match(node)
        case ViewTerm(name):
            raise Invalid(f"the view :{name} was not opened")


def _and(parts: Sequence[Node], made: Conditions) -> list[LiteralString]:
    """Each part, and all words as one search."""
    found = [part for part in parts if isinstance(part, TextTerm)]
    texts = [_sql(part, made) for part in parts if not isinstance(part, TextTerm)]
    return [*texts, made.words(found)] if found else texts


def _or(parts: Sequence[Node], made: Conditions) -> list[LiteralString]:
    """Each part in parentheses; values of one field together, so that an index serves them."""
    texts: list[LiteralString] = []
    rest = list(parts)
    for name in ("project", "tag", "priority"):
        same = [part for part in rest if isinstance(part, FieldTerm) and part.field == name and _plain(part)]
        if len(same) > 1:
            rest = [part for part in rest if part not in same]
            texts.append(made.any_of([part for part in same if isinstance(part, FieldTerm)]))
    return texts + [f"({_sql(part, made)})" for part in rest]


def _plain(match: FieldTerm) -> bool:
    return match.sign in ":=" and match.value not in (NONE, ANY) and not match.value.endswith(("/*", ".*"))


def expand_views(node: Node, views: dict[str, str], *inside: str) -> Node:
    """The tree with every view in the place of its name; raises NotFound, Conflict, Invalid.

    `inside`: the view whose filter this is going to be.
    """
    return _ViewExpander(views).tree(node, inside)


def _tree_depth(node: Node) -> int:
    match node:
        case And(parts) | Or(parts):
            return 1 + max(map(_tree_depth, parts), default=0)
        case Not(part):
            return 1 + _tree_depth(part)
        case _:
            return 1


class _ViewExpander:
    """Opens views, each once, and counts terms as it goes: views of views could be of any size."""

    def __init__(self, views: dict[str, str]) -> None:
        self._views = views
        self._trees: dict[str, Node] = {}

    def tree(self, node: Node, inside: tuple[str, ...]) -> Node:
        """One tree; `inside`: the views that led here."""
        made = self._rebuilt(node, lambda view: self._view(view, inside))
        if sum(1 for _ in walk_terms(made)) > MAX_TERMS_WITH_VIEWS:
            raise Invalid(f"the filter has more than {MAX_TERMS_WITH_VIEWS} terms, with those of its views")
        if _tree_depth(made) > MAX_TREE_DEPTH or len(inside) > MAX_VIEW_DEPTH:
            raise Invalid("the views name views that name views, too deep", hint="write one of them out")
        return made

    def _rebuilt(self, node: Node, view: Callable[[ViewTerm], Node]) -> Node:
        match node:
            case And(parts):
                return make_and([self._rebuilt(part, view) for part in parts])
            case Or(parts):
                return make_or([self._rebuilt(part, view) for part in parts])
            case Not(part):
                return make_not(self._rebuilt(part, view))
            case ViewTerm():
                return view(node)
            case _:
                return node

    def _view(self, view: ViewTerm, inside: tuple[str, ...]) -> Node:
        name = view.name
        if name in inside:
            circle = " names ".join(f":{one}" for one in (*inside[inside.index(name) :], name))
            raise Conflict(f"the views go round in a circle: {circle}")
        if name not in self._views:
            near = suggest(name, list(self._views), ":{}")
            raise NotFound(f"there is no view :{name[:100]}", hint=near or "see: todo view list")
        if name not in self._trees:
            try:
                node = parse_filter(self._views[name])
            except Invalid as error:
                raise Invalid(f"in the view :{name}: {error.detail}", hint=error.hint) from None
            self._trees[name] = self.tree(node, (*inside, name))
        return self._trees[name]
