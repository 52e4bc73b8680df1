"""Copies of tasks: the Request that makes them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from todo_cli.contract.base import DateText, Name, Note, Number, PriorityLevel, Request, Tags, Title
from todo_cli.contract.limits import MAX_ADDED_TASKS
from todo_cli.contract.task_types import BlockerNumbers, Changed, RecurrenceText, ReminderTexts


class CopyTasks(Request[Changed], frozen=True, kw_only=True):
    """Copy tasks: add open tasks with the same fields.

    A copy has no history: no comments, attachments, claims, tracked time and completion. Given fields replace those of
    the copies, null clears them. With `with_subtasks` the open subtasks of every level are copied too: they keep their
    fields, but follow to another project. A copy of a recurring task begins a series of its own. The answer names the
    originals as `copied_from`.
    """

    verb = "CopyTasks"
    label = "dup"
    past = "Copied"
    route = "POST /v1/tasks/copies"
    scope = "tasks:write"

    numbers: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_ADDED_TASKS)]
    with_subtasks: bool | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    note: Note | UnsetType | None = UNSET
    due: DateText | UnsetType | None = UNSET
    project: Name | UnsetType | None = UNSET
    priority: PriorityLevel | UnsetType | None = UNSET
    add_tags: Tags = ()
    remove_tags: Tags = ()
    parent: Number | UnsetType | None = UNSET
    add_after: BlockerNumbers | UnsetType = UNSET
    defer: DateText | UnsetType | None = UNSET
    scheduled: DateText | UnsetType | None = UNSET
    every: RecurrenceText | UnsetType | None = UNSET
    remind: ReminderTexts | UnsetType = UNSET
    assigned_to: Name | UnsetType | None = UNSET
