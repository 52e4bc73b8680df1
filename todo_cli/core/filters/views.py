"""Views: a view belongs to one user in one space."""

from __future__ import annotations

import re
from typing import LiteralString

from todo_cli.contract import views as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.views import View, ViewPage
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.filter_query import compile_filter
from todo_cli.core.filters.sorting import Order
from todo_cli.core.filters.view_expansion import expand_views, read_views
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.validation import check_text
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid
from todo_cli.parsing.filter_ast import ViewTerm, walk_terms
from todo_cli.parsing.filter_parser import parse_filter

MAX_VIEWS = 200  # of one user in one space

_OWN: LiteralString = "space_id = %(space)s::uuid AND user_id = %(me)s::uuid"
_VIEW_JSON: LiteralString = "jsonb_build_object('name', name, 'filter', filter, 'sort', sort, 'default', is_default)"
_VIEWS_JSON: LiteralString = f"""jsonb_build_object('views', coalesce(
    jsonb_agg({_VIEW_JSON} ORDER BY name), '[]'))"""

SAVE = build_journaled(f"""
  INSERT INTO todo.views AS v (space_id, name, filter, sort)
  SELECT %(space)s::uuid, %(name)s, %(filter)s, %(sort)s
   WHERE NOT EXISTS (SELECT FROM known)
     AND ((SELECT count(*) FROM todo.views WHERE {_OWN}) < {MAX_VIEWS}
       OR EXISTS (SELECT FROM todo.views WHERE {_OWN} AND name = %(name)s))
  ON CONFLICT (space_id, user_id, name)
    DO UPDATE SET filter = excluded.filter, sort = excluded.sort
  RETURNING {_VIEW_JSON} AS answer""")

LIST = Sql(f"SELECT {_VIEWS_JSON}::text FROM todo.views WHERE {_OWN}")

REMOVE = build_journaled(f"""
  SELECT {_VIEW_JSON} AS answer FROM todo.delete_view(%(name)s)
   WHERE NOT EXISTS (SELECT FROM known)""")

CHOOSE = build_journaled(f"""
  SELECT {_VIEWS_JSON} AS answer FROM todo.set_default_view(%(name)s)
   WHERE NOT EXISTS (SELECT FROM known)
  HAVING NOT EXISTS (SELECT FROM known) AND (%(name)s::text IS NULL OR count(*) > 0)""")


@handler(ask.SaveView)
async def save_view(tx: Transaction, request: ask.SaveView) -> View:
    """Save a view; raises Invalid for an invalid filter, and Conflict if the filter leads back to the view itself."""
    name = _check_name(request.name)
    node = parse_filter(check_text("filter", request.filter))
    if not request.filter.strip():
        raise Invalid("the filter is empty", hint="a view of everything open is: status:open")
    if request.sort is not None:
        Order(request.sort)
    if any(isinstance(term, ViewTerm) for term in walk_terms(node)):
        # the views that the filter names must exist, and must not lead back to this one
        stored = await read_views(tx)
        node = expand_views(node, {other: view.filter for other, view in stored.items()}, name)
    await compile_filter(tx, node)
    full = Conflict(f"you have {MAX_VIEWS} views, which is the most", hint="remove one: todo view rm NAME")
    return await run_journaled(tx, SAVE, request, full, name=name, filter=request.filter.strip(), sort=request.sort)


def _check_name(name: str) -> str:
    """Return the name without a leading colon; raises Invalid for a name that a filter cannot use."""
    name = name.removeprefix(":")
    if not re.fullmatch(r"[\w.-]+", name) or name.lower() == "none":
        raise Invalid(
            f"{name[:60]!r} is not a name for a view", hint="use letters, digits, _, - and .; the name none is reserved"
        )
    return name


@handler(ask.ListViews)
async def list_views(tx: Transaction, request: ask.ListViews) -> ViewPage:
    """List the caller's views in this space by name."""
    return decode(await tx.finish(LIST) or "", ViewPage)


@handler(ask.RemoveView)
async def remove_view(tx: Transaction, request: ask.RemoveView) -> View:
    """Remove a view; raises NotFound. Views that refer to it fail when they are used."""
    return await run_journaled(
        tx, REMOVE, request, f"there is no view :{request.name.removeprefix(':')}", name=request.name.removeprefix(":")
    )


@handler(ask.ChooseView)
async def choose_view(tx: Transaction, request: ask.ChooseView) -> ViewPage:
    """Make a view the default, or clear the default; raises NotFound."""
    name = request.name and request.name.removeprefix(":")
    return await run_journaled(tx, CHOOSE, request, f"there is no view :{name}", name=name)
