"""Tasks: the Requests that add, list, show and change them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from todo_cli.contract.base import (
    Asks,
    DateText,
    Limit,
    Moment,
    Name,
    Note,
    Number,
    PriorityLevel,
    Request,
    Tags,
    TaskNumbers,
    Title,
)
from todo_cli.contract.filters import Filter, SortOrder
from todo_cli.contract.limits import MAX_ADDED_TASKS, MAX_CURSOR_CHARS
from todo_cli.contract.task_types import (
    BlockerNumbers,
    Changed,
    NewTask,
    RecurrenceText,
    ReminderTexts,
    Repeat,
    Task,
    TaskPage,
    TaskStatus,
)

__all__ = [
    "AddTask", "AddTasks", "Changed", "CompleteTasks", "EditTasks", "ListTasks", "NewTask", "OnTasks",
    "ReopenTasks", "Repeat", "ShowTask", "Task", "TaskPage", "TaskStatus",
]  # fmt: skip  # a list of names


class AddTask(Request[Task], frozen=True, kw_only=True):
    """Add a task.

    With `parse` the title is read as quick add; given fields win. Without project and parent it goes to
    `default_project`, if one is given. `assigned_to` is a member of the space, or `me`. `report_similar` names the
    user's identical task of the last ten minutes.
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
    due: DateText | None = None
    project: Name | None = None
    tags: Tags = ()
    priority: PriorityLevel | None = None
    parent: Number | UnsetType | None = UNSET
    after: BlockerNumbers | UnsetType = UNSET
    defer: DateText | UnsetType | None = UNSET
    scheduled: DateText | UnsetType | None = UNSET
    every: RecurrenceText | UnsetType | None = UNSET
    remind: ReminderTexts | UnsetType = UNSET
    discovered_from: Number | UnsetType | None = UNSET
    assigned_to: Name | UnsetType | None = UNSET
    default_project: Name | UnsetType = UNSET
    parse: bool | UnsetType = UNSET
    report_similar: bool | UnsetType = UNSET


class AddTasks(Request[Changed], frozen=True, kw_only=True):
    """Add several tasks, all or none.

    Requests with one `group`, a UUID, are undone together. With `parse` a title may be a todo.txt line: `(A) Call mom`.
    """

    verb = "AddTasks"
    label = "add"
    past = "Added"
    route = "POST /v1/tasks/batch"
    scope = "tasks:write"

    tasks: Annotated[tuple[NewTask, ...], Meta(min_length=1, max_length=MAX_ADDED_TASKS)]
    group: Annotated[str, Meta(pattern="^[0-9a-f-]{36}$")] | None = None
    parse: bool | UnsetType = UNSET


class ListTasks(Request[TaskPage], frozen=True, kw_only=True):
    """List tasks: the open ones, unless `status` or the filter says otherwise.

    Deferred tasks are left out unless the filter names them. Sorted by urgency or rank the list has one page of at
    most 200 tasks; `cut` says that more exist. Without `sort` the view or a preference decides, else the due date.
    With `home` and no filter it is the caller's default view, if there is one. With `count_deferred` the first page
    counts the deferred tasks that it leaves out; with `count_all` a page counts all matching tasks, at most 1,000,
    unless it is the last one. `with_links` names parents, open blockers and blocked tasks, `explain` urgency and parts.
    With `as_of` tasks are as they were at that moment.
    """

    verb = "ListTasks"
    label = "list"
    past = "Found"
    tool = "list_tasks"
    tool_always = True
    route = "GET /v1/tasks"
    write = False
    is_versioned = True

    filter: Filter | None = None
    status: Literal["open", "done", "deleted", "all"] = "open"
    project: Name | None = None
    tag: Name | None = None
    priority: PriorityLevel | None = None
    due: DateText | None = None
    due_before: DateText | None = None
    due_after: DateText | None = None
    sort: SortOrder | UnsetType = UNSET
    limit: Limit = 50
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR_CHARS)] | None = None
    home: bool = False
    count_deferred: bool = False
    count_all: bool = False
    with_links: bool = False
    explain: bool = False
    as_of: Moment | UnsetType = UNSET


class ShowTask(Request[Task], frozen=True, kw_only=True):
    """Show one task with all its fields, its note and its comments."""

    verb = "ShowTask"
    label = "show"
    past = "Looked at"
    tool = "show_task"
    tool_always = True
    route = "GET /v1/tasks/{number}"
    write = False
    is_versioned = True

    number: Number
    as_of: Moment | UnsetType = UNSET


class OnTasks(Request[Changed], frozen=True, kw_only=True):
    """A change of the tasks named by `numbers` or found by `filter`: all of them, or none.

    A filter finds open tasks, deferred ones too (done tasks to reopen, deleted ones to restore), unless it says
    otherwise. `if_rev` refuses tasks that have changed since that rev.
    """

    scope = "tasks:write"
    needs_numbers = True

    numbers: TaskNumbers = ()
    filter: Filter | UnsetType = UNSET
    if_rev: Annotated[int, Meta(ge=1)] | None = None


class CompleteTasks(OnTasks, frozen=True, kw_only=True):
    """Mark tasks as done; completing a recurring task creates its next occurrence.

    Subtasks stay open without `with_subtasks`. `if_claimed` refuses tasks that the caller's token did not claim last.
    """

    verb = "CompleteTasks"
    label = "done"
    past = "Done"
    tool = "complete_task"
    tool_always = True
    route = "POST /v1/tasks/completion"
    asks = Asks.SEVERAL

    with_subtasks: bool | UnsetType = UNSET
    if_claimed: bool | UnsetType = UNSET


class ReopenTasks(OnTasks, frozen=True, kw_only=True):
    """Reopen done tasks."""

    verb = "ReopenTasks"
    label = "reopen"
    past = "Reopened"
    tool = "reopen_task"
    tool_always = True
    route = "POST /v1/tasks/reopening"
    asks = Asks.SEVERAL


class EditTasks(OnTasks, frozen=True, kw_only=True):
    """Change fields of tasks; absent fields stay as they are.

    Null clears a field. `tags` and `after` replace the whole list, `remind` that of the caller's reminders.
    `assigned_to` is a member of the space, or `me`. In a recurring task, new dates apply to this occurrence only, other
    fields to the next ones too; `occurrences` overrides that: 'this' for this one only, 'all' for the next dates too.
    """

    verb = "EditTasks"
    label = "edit"
    past = "Changed"
    tool = "update_task"
    tool_always = True
    route = "PATCH /v1/tasks"
    asks = Asks.SEVERAL

    title: Title | UnsetType = UNSET
    note: Note | UnsetType | None = UNSET
    due: DateText | UnsetType | None = UNSET
    project: Name | UnsetType | None = UNSET
    priority: PriorityLevel | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    add_tags: Tags = ()
    remove_tags: Tags = ()
    parent: Number | UnsetType | None = UNSET
    after: BlockerNumbers | UnsetType = UNSET
    add_after: BlockerNumbers | UnsetType = UNSET
    remove_after: BlockerNumbers | UnsetType = UNSET
    defer: DateText | UnsetType | None = UNSET
    scheduled: DateText | UnsetType | None = UNSET
    every: RecurrenceText | UnsetType | None = UNSET
    remind: ReminderTexts | UnsetType = UNSET
    discovered_from: Number | UnsetType | None = UNSET
    assigned_to: Name | UnsetType | None = UNSET
    occurrences: Literal["this", "all"] | UnsetType = UNSET
