"""Following the changes of a space: the next ones after a cursor, oldest first."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Limit, Request
from todo_cli.contract.filters import Filter
from todo_cli.contract.journal import Change
from todo_cli.contract.limits import MAX_INTEGER

ChangeCursor = Annotated[
    int, Meta(ge=0, le=MAX_INTEGER, description="follow behind this change; 0 is before the first one")
]


class ChangeBatch(Struct, frozen=True, kw_only=True):
    """Changes, oldest first. `cursor` continues behind them, and behind those that the filter left out.

    `more` says that more changes are there already.
    """

    changes: tuple[Change, ...] = ()
    cursor: int
    more: bool = False


class FollowChanges(Request[ChangeBatch], frozen=True, kw_only=True):
    """Read the next changes after a cursor, oldest first; without `after` none, but the cursor of now.

    With a filter only changes of tasks that match before or after the change, and comments on matching tasks.
    `limit` counts the changes that are looked at.
    """

    verb = "FollowChanges"
    label = "watch"
    past = "Read"
    route = "GET /v1/changes/feed"
    write = False

    after: ChangeCursor | None = None
    filter: Filter | None = None
    limit: Limit = 200
