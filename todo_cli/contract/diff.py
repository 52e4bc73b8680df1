"""The differences between the tasks of two moments."""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Limit, Moment, Number, Request
from todo_cli.contract.filters import Filter

DifferenceKind = Literal["added", "done", "deleted", "reopened", "restored", "changed"]


class TaskDifference(Struct, frozen=True, kw_only=True):
    """What became of one task between two moments: field -> [then, later]; then is null in an added task."""

    number: int
    title: str
    kind: DifferenceKind
    fields: dict[str, tuple[Any, Any]]


class DifferencePage(Struct, frozen=True, kw_only=True):
    """Tasks that differ between two moments, by number. `next` is the cursor of the next page, null on the last one."""

    since: datetime
    until: datetime
    differences: tuple[TaskDifference, ...]
    next: int | None = None


class DiffTasks(Request[DifferencePage], frozen=True, kw_only=True):
    """List how tasks differ between two moments. Changes that were taken back in between are left out.

    A day alone is its beginning as `since` and its end as `until`, which is now by default.
    """

    verb = "DiffTasks"
    label = "diff"
    past = "Read"
    route = "GET /v1/differences"
    write = False

    since: Moment = "yesterday"
    until: Moment | None = None
    filter: Annotated[Filter | None, Meta(description="only tasks that match it now")] = None
    after: Annotated[Number | None, Meta(description="only tasks after this number")] = None
    limit: Limit = 100
