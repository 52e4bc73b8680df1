"""A task as it is added and returned, and the answers of the Requests that read and change tasks."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import DateText, Name, Note, Number, PriorityLevel, Tags, Title
from todo_cli.contract.limits import (
    MAX_BLOCKERS_PER_TASK,
    MAX_DATE_CHARS,
    MAX_RECURRENCE_CHARS,
    MAX_REMINDERS_PER_TASK,
)

TaskStatus = Literal["open", "done", "deleted"]
RecurrenceText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_RECURRENCE_CHARS,
        description="how often, in words or as an RRULE: 'every 2 weeks on mon'; 'every! 3 days' from completion",
    ),
]
BlockerNumbers = Annotated[tuple[Number, ...], Meta(max_length=MAX_BLOCKERS_PER_TASK)]

ReminderText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_DATE_CHARS,
        description="when to remind: '1h before' the due date, 'at due', or a date: 'tomorrow 9am'",
    ),
]
ReminderTexts = Annotated[tuple[ReminderText, ...], Meta(max_length=MAX_REMINDERS_PER_TASK)]


class Reminder(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reminder of a task for one user: at an instant, or so many days and seconds before the task is due.

    Days are counted by the calendar of `zone`. A due day without a time counts as nine o'clock.
    """

    user: str
    zone: str
    days: int = 0
    seconds: int = 0
    at: datetime | None = None


class Repeat(Struct, frozen=True, kw_only=True):
    """How a task recurs. `rule` is an RRULE (RFC 5545); with `from_done` the interval counts from completion.

    Its times are those of the clocks in the time zone `zone`.

    Every occurrence is a task of its own. They share `series`; `occurrence` counts them from 1.
    """

    rule: str
    from_done: bool = False
    zone: str | None = None
    series: str
    occurrence: int


class Comment(Struct, frozen=True, kw_only=True):
    """A comment on a task. `removed` is present only in the answer to its removal.

    An imported comment has `imported_by`, the user who imported it: `user` and `at` are as its file says then.
    """

    id: str
    user: str
    at: datetime
    text: str
    edited_at: datetime | None = None
    imported_by: str | UnsetType = UNSET
    removed: bool | UnsetType = UNSET


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that is attached to a task; `sha256` is in hex.

    `removed` is present where the file itself was removed for good, some weeks after the attachment.
    """

    id: str
    name: str
    type: str
    size: int
    sha256: str
    at: datetime
    removed: bool | UnsetType = UNSET


class LinkedTask(Struct, frozen=True, kw_only=True):
    """A task beside the one that is shown."""

    number: int
    title: str
    status: TaskStatus
    due: str | None = None
    priority: int | None = None
    started_at: datetime | None = None
    blocked: bool = False
    claimed_until: datetime | None = None


class TaskLinks(Struct, frozen=True, kw_only=True):
    """The tasks around a task, 100 of a kind at most: its parent, its subtasks, its blockers, and what it blocks.

    `source` is the task during which it was found, `discovered` are those that were found during it. Subtasks, blocked
    and discovered tasks in the trash are left out, finished blocked tasks too.
    """

    parent: LinkedTask | None = None
    subtasks: tuple[LinkedTask, ...] = ()
    blockers: tuple[LinkedTask, ...] = ()
    blocked: tuple[LinkedTask, ...] = ()
    source: LinkedTask | None = None
    discovered: tuple[LinkedTask, ...] = ()


class SimilarTask(Struct, frozen=True, kw_only=True):
    """A task that the same user added a moment ago with the same fields."""

    number: int
    seconds_ago: int


class Task(Struct, frozen=True, kw_only=True):
    """One task. `due`, `defer` and `scheduled` are ISO dates or instants in UTC; `rev` is its last change.

    `parent` is the task above it, `after` lists the tasks that it waits for. `tracked` is the time of finished work in
    seconds, without the work that began at `started_at`. `remind` has the reminders of all users. `fence` is the number
    of its last claim, null if it was never claimed. `discovered_from` is the task during which it was found,
    `assigned_to` the name of the member who is to finish it.
    `position` is a decimal number: where it stands among the numbers of all tasks, null at its own number. Lists
    leave out `note`. An added task has `new`: False when its idempotency key had been used before, and `similar` where
    AddTask asks for it. Reads add `blocked` (it waits for an open task), `urgency`, and the numbers of open `subtasks`
    and of `subtasks_done`; ShowTask also adds the newest 100 `comments`, oldest first, its `attachments`, and `links`
    to other tasks. ListTasks adds `links` with numbers and titles where it asks for them, and the `parts` that make
    the urgency.
    """

    number: int
    id: str
    title: str
    status: TaskStatus
    due: str | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    priority: int | None = None
    note: str | UnsetType | None = UNSET
    parent: int | None = None
    after: tuple[int, ...] = ()
    defer: str | None = None
    scheduled: str | None = None
    started_at: datetime | None = None
    tracked: int = 0
    repeat: Repeat | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    fence: int | None = None
    discovered_from: int | None = None
    assigned_to: str | None = None
    position: str | None = None
    remind: tuple[Reminder, ...] | None = None
    rev: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    new: bool | UnsetType = UNSET
    similar: SimilarTask | UnsetType = UNSET
    blocked: bool | UnsetType = UNSET
    urgency: float | UnsetType = UNSET
    parts: dict[str, float] | UnsetType = UNSET
    subtasks: int | UnsetType = UNSET
    subtasks_done: int | UnsetType = UNSET
    comments: tuple[Comment, ...] | UnsetType = UNSET
    attachments: tuple[Attachment, ...] | UnsetType = UNSET
    links: TaskLinks | UnsetType = UNSET


class NewTask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task to add; the fields are those of AddTask."""

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


class Changed(Struct, frozen=True, kw_only=True):
    """The tasks of a change as they are now, then the next occurrences that it created.

    More than 20 tasks are brief: they leave out `note`, as in lists.
    `new` is False when the idempotency key had been used before. `open_subtasks` counts the subtasks that stay open
    below completed tasks; `ended` lists the recurring tasks that were the last of their series. A reopened occurrence
    takes its next one back: that one follows, deleted. `open_next` lists those that stay open, since they were touched.
    `copied_from` has the number of the original for each copy.
    """

    tasks: tuple[Task, ...]
    seq: int
    new: bool
    open_subtasks: int | UnsetType = UNSET
    ended: tuple[int, ...] | UnsetType = UNSET
    open_next: tuple[int, ...] | UnsetType = UNSET
    copied_from: tuple[int, ...] | UnsetType = UNSET


class TaskPage(Struct, frozen=True, kw_only=True):
    """A page of tasks. `next` is the cursor of the next page, null on the last one; `cut` says that more exist.

    `deferred` counts the tasks that match and are left out because they are deferred. `total` counts all tasks that
    match, 1,000 at most, if more exist than the page has. `sort` is the order if the request names none and it is not
    by due date. `as_of` is the moment of a list of the past.
    """

    tasks: tuple[Task, ...]
    next: str | None = None
    cut: bool | UnsetType = UNSET
    deferred: int | UnsetType = UNSET
    total: int | UnsetType = UNSET
    sort: str | UnsetType = UNSET
    as_of: datetime | UnsetType = UNSET
