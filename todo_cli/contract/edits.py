"""Edits of several tasks, each with fields of its own: the Request that makes them as one change."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import DateText, Name, Note, Number, PriorityLevel, Request, Tags, Title
from todo_cli.contract.limits import MAX_EDITED_TASKS
from todo_cli.contract.task_types import BlockerNumbers, Changed, RecurrenceText, ReminderTexts


class TaskEdit(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The edit of one task; its fields are those of EditTasks."""

    number: Number
    if_rev: Annotated[int, Meta(ge=1)] | None = None
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


class EditEachTask(Request[Changed], frozen=True, kw_only=True):
    """Edit several tasks, each in fields of its own: all of them, or none.

    Absent fields stay as they are, null clears them. `if_rev` of an edit refuses all where its task has changed since
    that rev. The edits are one change, which is undone as one.
    """

    verb = "EditEachTask"
    label = "edit"
    past = "Changed"
    route = "PATCH /v1/tasks/batch"
    scope = "tasks:write"

    edits: Annotated[tuple[TaskEdit, ...], Meta(min_length=1, max_length=MAX_EDITED_TASKS)]
