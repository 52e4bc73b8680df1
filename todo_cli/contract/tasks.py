"""Tasks: what can be asked about them and what comes back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import (
    KEEP,
    Asks,
    Kept,
    Name,
    Note,
    Number,
    Numbers,
    Priority,
    Request,
    Tags,
    Title,
    When,
)  # fmt: skip

Status = Literal["open", "done", "deleted"]
Sort = Literal["due", "-due", "priority", "-priority", "created", "-created", "updated", "-updated"]
Limit = Annotated[int, Meta(ge=1, le=1_000)]


class Task(Struct, frozen=True, kw_only=True):
    """One task. `due` is an ISO date, or an instant in UTC; `rev` is the change that last touched it.

    `note` is left out of lists; `new` stands in an add's answer: False when the key had been used before.
    """

    number: int
    id: str
    title: str
    status: Status
    due: str | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    priority: int | None = None
    note: str | UnsetType | None = UNSET
    rev: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    new: bool | UnsetType = UNSET


class TaskPage(Struct, frozen=True, kw_only=True):
    """Some tasks, and the cursor for the next ones (null: these were the last)."""

    tasks: tuple[Task, ...]
    next: str | None = None


class Changed(Struct, frozen=True, kw_only=True):
    """What a write made: every task it named as it now is. `new` is False when the key had been used before."""

    tasks: tuple[Task, ...]
    seq: int
    new: bool


class NewTask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task to be added."""

    title: Title
    note: Note | None = None
    due: When | None = None
    project: Name | None = None
    tags: Tags = ()
    priority: Priority | None = None


class AddTask(Request[Task], frozen=True):
    """Add a task."""

    route = "POST /v1/tasks"
    scope = "tasks:write"
    tool = True

    title: Title
    note: Note | None = None
    due: When | None = None
    project: Name | None = None
    tags: Tags = ()
    priority: Priority | None = None


class AddTasks(Request[Changed], frozen=True):
    """Add several tasks: all or none. Requests of one `group` (a UUID) are undone as one."""

    route = "POST /v1/tasks/batch"
    scope = "tasks:write"

    tasks: Annotated[tuple[NewTask, ...], Meta(min_length=1, max_length=1_000)]
    group: Annotated[str, Meta(pattern="^[0-9a-f-]{36}$")] | None = None


class ListTasks(Request[TaskPage], frozen=True):
    """List tasks, the open ones unless `status` says otherwise."""

    route = "GET /v1/tasks"
    write = False
    tool = True

    status: Literal["open", "done", "deleted", "all"] = "open"
    project: Name | None = None
    tag: Name | None = None
    priority: Priority | None = None
    due: When | None = None
    due_before: When | None = None
    due_after: When | None = None
    sort: Sort = "due"
    limit: Limit = 50
    cursor: Annotated[str, Meta(max_length=1_000)] | None = None


class ShowTask(Request[Task], frozen=True):
    """Show one task whole."""

    route = "GET /v1/tasks/{number}"
    write = False
    tool = True

    number: Number


class OnTasks(Request[Changed], frozen=True):
    """The named tasks, all or none; `if_rev` refuses when one of them has moved on."""

    scope = "tasks:write"

    numbers: Numbers
    if_rev: Annotated[int, Meta(ge=1)] | None = None


class CompleteTasks(OnTasks, frozen=True):
    """Mark tasks as done."""

    route = "POST /v1/tasks/completion"
    tool = True
    asks = Asks.SEVERAL


class ReopenTasks(OnTasks, frozen=True):
    """Open done tasks again."""

    route = "POST /v1/tasks/reopening"
    tool = True
    asks = Asks.SEVERAL


class EditTasks(OnTasks, frozen=True):
    """Change fields of tasks: what is left out stays as it is, null clears. `tags` replaces them all."""

    route = "PATCH /v1/tasks"
    tool = True
    asks = Asks.SEVERAL

    title: Title | Kept = KEEP
    note: Note | Kept | None = KEEP
    due: When | Kept | None = KEEP
    project: Name | Kept | None = KEEP
    priority: Priority | Kept | None = KEEP
    tags: Tags | Kept = KEEP
    add_tags: Tags = ()
    remove_tags: Tags = ()


class DeleteTasks(OnTasks, frozen=True):
    """Move tasks to the bin; they keep their numbers and can be restored."""

    route = "POST /v1/tasks/deletion"
    tool = True
    asks = Asks.ALWAYS


class RestoreTasks(OnTasks, frozen=True):
    """Bring tasks back from the bin."""

    route = "POST /v1/tasks/restoration"
    tool = True
    asks = Asks.SEVERAL


REQUESTS = (
    AddTask, AddTasks, ListTasks, ShowTask, CompleteTasks, ReopenTasks, EditTasks, DeleteTasks, RestoreTasks,
)  # fmt: skip
