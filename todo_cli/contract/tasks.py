"""Tasks: what can be asked about them and what comes back."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import (
    KEEP,
    Asks,
    Kept,
    Limit,
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
from todo_cli.contract.filters import Filter, Sort
from todo_cli.contract.task_types import Changed, RecurrenceText, Repeat, Status, Task, TaskNumbers, TaskPage

__all__ = [
    "AddTask",
    "AddTasks",
    "Changed",
    "CompleteTasks",
    "DeleteTasks",
    "EditTasks",
    "ListTasks",
    "NewTask",
    "OnTasks",
    "ReopenTasks",
    "Repeat",
    "RestoreTasks",
    "ShowTask",
    "Status",
    "Task",
    "TaskPage",
]  # fmt: skip


class NewTask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task to be added: fields as in `AddTask`."""

    title: Title
    note: Note | None = None
    due: When | None = None
    project: Name | None = None
    tags: Tags = ()
    priority: Priority | None = None
    parent: Number | Kept | None = KEEP
    after: TaskNumbers | Kept = KEEP
    defer: When | Kept | None = KEEP
    scheduled: When | Kept | None = KEEP
    every: RecurrenceText | Kept | None = KEEP


class AddTask(Request[Task], frozen=True, kw_only=True):
    """Add a task. With `parse` the title is read for dates, #project, @tags, p1 and more; fields given beside it win.

    `parent` is the task it is a part of, `after` those it waits for; until `defer` it is out of sight.
    """

    verb = "AddTask"
    label = "add"
    past = "Added"
    tool = "add_task"
    tool_always = True
    route = "POST /v1/tasks"
    scope = "tasks:write"

    title: Title
    note: Note | None = None
    due: When | None = None
    project: Name | None = None
    tags: Tags = ()
    priority: Priority | None = None
    parent: Number | Kept | None = KEEP
    after: TaskNumbers | Kept = KEEP
    defer: When | Kept | None = KEEP
    scheduled: When | Kept | None = KEEP
    every: RecurrenceText | Kept | None = KEEP
    parse: bool | Kept = KEEP


class AddTasks(Request[Changed], frozen=True, kw_only=True):
    """Add several tasks: all or none. Requests of one `group` (a UUID) are undone as one."""

    verb = "AddTasks"
    label = "add"
    past = "Added"
    route = "POST /v1/tasks/batch"
    scope = "tasks:write"

    tasks: Annotated[tuple[NewTask, ...], Meta(min_length=1, max_length=1_000)]
    group: Annotated[str, Meta(pattern="^[0-9a-f-]{36}$")] | None = None
    parse: bool | Kept = KEEP


class ListTasks(Request[TaskPage], frozen=True, kw_only=True):
    """List tasks, the open ones unless `status` or the filter says otherwise; what is put off to later is left out.

    By urgency or rank, which move with the clock, there is one page of at most 200: `cut` says that there were more.
    `home`: without a filter show the caller's default view, if there is one.
    """

    verb = "ListTasks"
    label = "list"
    past = "Found"
    tool = "list_tasks"
    tool_always = True
    route = "GET /v1/tasks"
    write = False

    filter: Filter | None = None
    status: Literal["open", "done", "deleted", "all"] = "open"
    project: Name | None = None
    tag: Name | None = None
    priority: Priority | None = None
    due: When | None = None
    due_before: When | None = None
    due_after: When | None = None
    sort: Sort = "due"
    limit: Limit = 50
    cursor: Annotated[str, Meta(max_length=4_000)] | None = None
    home: bool = False


class ShowTask(Request[Task], frozen=True, kw_only=True):
    """Show one task whole."""

    verb = "ShowTask"
    label = "show"
    past = "Looked at"
    tool = "show_task"
    tool_always = True
    route = "GET /v1/tasks/{number}"
    write = False

    number: Number


class OnTasks(Request[Changed], frozen=True, kw_only=True):
    """The named tasks, or those that a filter finds, all or none; `if_rev` refuses when one of them has moved on.

    Either `numbers` or `filter`. A filter means open tasks (to reopen: done ones, to restore: those in the bin) unless
    it says otherwise, those put off to later too; at most 10,000 at once.
    """

    scope = "tasks:write"
    needs_numbers = True

    numbers: Numbers = ()
    filter: Filter | Kept = KEEP
    if_rev: Annotated[int, Meta(ge=1)] | None = None


class CompleteTasks(OnTasks, frozen=True, kw_only=True):
    """Mark tasks as done. A recurring one makes its next occurrence; subtasks stay open, unless `with_subtasks`.

    `if_claimed` refuses unless the caller's token claimed them last, and nobody has taken them since.
    """

    verb = "CompleteTasks"
    label = "done"
    past = "Done"
    tool = "complete_task"
    tool_always = True
    route = "POST /v1/tasks/completion"
    asks = Asks.SEVERAL

    with_subtasks: bool | Kept = KEEP
    if_claimed: bool | Kept = KEEP


class ReopenTasks(OnTasks, frozen=True, kw_only=True):
    """Open done tasks again."""

    verb = "ReopenTasks"
    label = "reopen"
    past = "Reopened"
    tool = "reopen_task"
    route = "POST /v1/tasks/reopening"
    asks = Asks.SEVERAL


class EditTasks(OnTasks, frozen=True, kw_only=True):
    """Change fields of tasks: what is left out stays as it is, null clears. `tags` and `after` replace them all.

    Of a recurring task dates change this occurrence alone, the rest those to come too; `occurrences` says otherwise:
    'this' one alone, or 'all', which moves the dates of those to come as well.
    """

    verb = "EditTasks"
    label = "edit"
    past = "Changed"
    tool = "update_task"
    tool_always = True
    route = "PATCH /v1/tasks"
    asks = Asks.SEVERAL

    title: Title | Kept = KEEP
    note: Note | Kept | None = KEEP
    due: When | Kept | None = KEEP
    project: Name | Kept | None = KEEP
    priority: Priority | Kept | None = KEEP
    tags: Tags | Kept = KEEP
    add_tags: Tags = ()
    remove_tags: Tags = ()
    parent: Number | Kept | None = KEEP
    after: TaskNumbers | Kept = KEEP
    add_after: TaskNumbers | Kept = KEEP
    remove_after: TaskNumbers | Kept = KEEP
    defer: When | Kept | None = KEEP
    scheduled: When | Kept | None = KEEP
    every: RecurrenceText | Kept | None = KEEP
    occurrences: Literal["this", "all"] | Kept = KEEP


class DeleteTasks(OnTasks, frozen=True, kw_only=True):
    """Move tasks to the bin; they keep their numbers and can be restored."""

    verb = "DeleteTasks"
    label = "rm"
    past = "Deleted"
    tool = "delete_task"
    tool_always = True
    route = "POST /v1/tasks/deletion"
    asks = Asks.ALWAYS


class RestoreTasks(OnTasks, frozen=True, kw_only=True):
    """Bring tasks back from the bin."""

    verb = "RestoreTasks"
    label = "restore"
    past = "Restored"
    tool = "restore_task"
    route = "POST /v1/tasks/restoration"
    asks = Asks.SEVERAL
