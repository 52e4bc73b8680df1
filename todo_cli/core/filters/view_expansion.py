"""Expand the views that a filter names. Only a filter with views loads this."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound
from todo_cli.parsing.filter_ast import (
    And,
    Node,
    Not,
    Or,
    ViewTerm,
    make_and,
    make_not,
    make_or,
    measure_depth,
    walk_terms,
)
from todo_cli.parsing.filter_parser import parse_filter
from todo_cli.parsing.filter_vocabulary import suggest

MAX_TERMS_WITH_VIEWS = 200
MAX_VIEW_DEPTH = 10  # views that name views
MAX_TREE_DEPTH = 100  # of the tree after its views are expanded

VIEWS = Sql("""
SELECT coalesce(
         json_object_agg(name, json_build_object('filter', filter, 'sort', sort)), '{}')::text
  FROM todo.views
 WHERE space_id = %(space)s::uuid AND user_id = %(me)s::uuid""")


class StoredView(msgspec.Struct):
    """A view as the database stores it."""

    filter: str
    sort: str | None = None


async def read_views(tx: Transaction) -> dict[str, StoredView]:
    """Return the user's views by name."""
    return decode(await tx.finish(VIEWS) or "{}", dict[str, StoredView])


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
