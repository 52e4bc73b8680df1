"""The journal: list, undo and redo changes."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Asks, DateText, Limit, Moment, Name, Number, Request
from todo_cli.contract.filters import Filter
from todo_cli.contract.limits import MAX_INTEGER

ChangeSeq = Annotated[int, Meta(ge=1, le=MAX_INTEGER, description="a change's position in the journal of its space")]


class Difference(Struct, frozen=True, kw_only=True):
    """What one change did to one task: field -> [before, after]; before is null in an added task.

    In answers with more than 20 tasks, and in the log of more than one task, texts are cut after 500 characters.
    """

    number: int
    title: str
    added: bool
    fields: dict[str, tuple[Any, Any]]


class Change(Struct, frozen=True, kw_only=True):
    """One row of the journal. `tasks` counts all changed tasks, `differences` shows the first ten.

    `mine` says that the caller made it, `same_token` that it was made with the caller's token. With
    `by_model` a model made it in a chat; `conversation` is the number of the conversation, if it is the caller's.
    """

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
    mine: bool = False
    same_token: bool = False
    by_model: bool = False
    conversation: int | None = None
    tasks: int
    differences: tuple[Difference, ...] = ()


class ChangePage(Struct, frozen=True, kw_only=True):
    """A page of changes, newest first. `next` is the cursor of the next page, null on the last one.

    A request looks through 10,000 changes at most, so a page may have few changes or none although others follow.
    """

    changes: tuple[Change, ...]
    next: int | None = None


class ListChanges(Request[ChangePage], frozen=True, kw_only=True):
    """List who changed what and when, in one task, in the tasks that match a filter now, or in the whole space."""

    verb = "ListChanges"
    label = "log"
    past = "Read"
    tool = "list_changes"
    route = "GET /v1/changes"
    write = False

    number: Number | None = None
    before: ChangeSeq | None = None
    limit: Limit = 20
    seq: Annotated[ChangeSeq | None, Meta(description="only this change, with all its tasks")] = None
    filter: Filter | None = None
    by: Annotated[Name | None, Meta(description="the name of a member, or `me`")] = None
    token: Annotated[Name | None, Meta(description="the name of one of my tokens")] = None
    via: Literal["api", "chat", "direct", "mcp"] | None = None
    since: Moment | None = None
    until: Moment | None = None


class Undone(Struct, frozen=True, kw_only=True):
    """The changes that were undone or redone; `skipped` lists the tasks left alone because they had changed.

    A large import has several groups of changes. `next_part` is the `id` by which the next one is undone or redone.
    """

    changes: tuple[int, ...]
    differences: tuple[Difference, ...]
    skipped: tuple[int, ...] = ()
    seq: int | None = None
    new: bool = True
    next_part: int | None = None


class Undo(Request[Undone], frozen=True, kw_only=True):
    """Undo (take back) my last change or group of changes, or the change `id`; refused when its tasks have changed."""

    verb = "Undo"
    label = "undo"
    past = "Undid"
    tool = "undo"
    tool_always = True
    route = "POST /v1/undos"
    scope = "tasks:write"
    asks = Asks.ALWAYS

    id: ChangeSeq | None = None
    partial: bool = False
    dry_run: bool = False


class UndoToken(Request[Undone], frozen=True, kw_only=True):
    """Undo all that one of my tokens has changed, or that it has changed `since`; all of it or nothing.

    It is refused when tasks have changed since by others; with `partial` those are left alone.
    """

    verb = "UndoToken"
    label = "undo"
    past = "Undid"
    route = "POST /v1/token_undos"
    scope = "tasks:write"
    asks = Asks.ALWAYS

    token: Name
    since: DateText | None = None
    partial: bool = False
    dry_run: bool = False


class Redo(Request[Undone], frozen=True, kw_only=True):
    """Redo my last undone change, or the undone change `id`."""

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
