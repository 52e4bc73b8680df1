"""The journal: who changed what, and taking it back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from todo_cli.contract.base import Asks, Limit, Number, Request

ChangeSeq = Annotated[int, Meta(ge=1, le=2**63 - 1, description="a change's place in its space's journal")]


class Difference(Struct, frozen=True, kw_only=True):
    """What one change did to one task: field -> [before, after]. A new task has no `before`."""

    number: int
    title: str
    added: bool
    fields: dict[str, tuple[Any, Any]]


class Change(Struct, frozen=True, kw_only=True):
    """One row of the journal. `tasks` counts all the tasks it touched, `differences` shows the first ten."""

    seq: int
    at: datetime
    user: str
    token: str
    way: str
    verb: str
    about: str | None = None
    key: str | None = None
    group: str | None = None
    undoes: int | None = None
    undone: bool = False
    tasks: int
    differences: tuple[Difference, ...] = ()


class ChangePage(Struct, frozen=True, kw_only=True):
    """Changes, newest first; `next` is the cursor for older ones (null: none)."""

    changes: tuple[Change, ...]
    next: int | None = None


class ListChanges(Request[ChangePage], frozen=True, kw_only=True):
    """Show who changed what, when and with which token: of one task, or of the whole space."""

    verb = "ListChanges"
    label = "log"
    past = "Read"
    tool = "list_changes"
    route = "GET /v1/changes"
    write = False

    number: Number | None = None
    before: ChangeSeq | None = None
    limit: Limit = 20


class Undone(Struct, frozen=True, kw_only=True):
    """What was taken back (or brought again), and what was left alone because it had moved on."""

    changes: tuple[int, ...]
    differences: tuple[Difference, ...]
    skipped: tuple[int, ...] = ()
    seq: int | None = None
    new: bool = True


class Undo(Request[Undone], frozen=True, kw_only=True):
    """Take back my last change or group of changes, or the change `id`; refused where rows have moved on."""

    verb = "Undo"
    label = "undo"
    past = "Undid"
    tool = "undo"
    route = "POST /v1/undos"
    scope = "tasks:write"
    asks = Asks.ALWAYS

    id: ChangeSeq | None = None
    partial: bool = False
    dry_run: bool = False


class Redo(Request[Undone], frozen=True, kw_only=True):
    """Do again what my last undo took back, or the undone change `id`."""

    verb = "Redo"
    label = "redo"
    past = "Redid"
    tool = "redo"
    route = "POST /v1/redos"
    scope = "tasks:write"
    asks = Asks.ALWAYS

    id: ChangeSeq | None = None
    partial: bool = False
    dry_run: bool = False
