"""A task as it comes back, and what a write of tasks answers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import Number

Status = Literal["open", "done", "deleted"]
RecurrenceText = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        description="how often, in words or as an RRULE: 'every 2 weeks on mon'; 'every! 3 days' counts from its end",
    ),
]
TaskNumbers = Annotated[tuple[Number, ...], Meta(max_length=100)]


class Repeat(Struct, frozen=True, kw_only=True):
    """How a task recurs: `rule` is an RRULE (RFC 5545); `from_done` counts from completion.

    Every occurrence is a task of its own: `series` is what they share, `occurrence` its place, from 1.
    """

    rule: str
    from_done: bool = False
    series: str
    occurrence: int


class Comment(Struct, frozen=True, kw_only=True):
    """What somebody said about a task. `removed` stands in the answer of its removal."""

    id: str
    user: str
    at: datetime
    text: str
    edited_at: datetime | None = None
    removed: bool | UnsetType = UNSET


class Task(Struct, frozen=True, kw_only=True):
    """One task. `due`, `defer`, `scheduled` are ISO dates or instants in UTC; `rev` is the change that last touched it.

    `parent` is the task it is a part of, `after` those it waits for; `tracked` counts the seconds of finished spans
    of work, not of the span that began at `started_at`. `note` is left out of lists; `new` stands in an add's
    answer: False when the key had been used before. Show and list add `blocked` (it waits for an open task),
    `urgency`, and how many `subtasks` (open ones) it has; show adds its newest 100 `comments`, the oldest first.
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
    parent: int | None = None
    after: tuple[int, ...] = ()
    defer: str | None = None
    scheduled: str | None = None
    started_at: datetime | None = None
    tracked: int = 0
    repeat: Repeat | None = None
    claimed_by: str | None = None
    claimed_until: datetime | None = None
    rev: int
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    new: bool | UnsetType = UNSET
    blocked: bool | UnsetType = UNSET
    urgency: float | UnsetType = UNSET
    subtasks: int | UnsetType = UNSET
    comments: tuple[Comment, ...] | UnsetType = UNSET


class Changed(Struct, frozen=True, kw_only=True):
    """What a write made: every task it named as it now is, then the next occurrences that it made.

    `new` is False when the key had been used before. `open_subtasks` counts those that stay open under what was done,
    `ended` names the recurring tasks that were their series' last.
    """

    tasks: tuple[Task, ...]
    seq: int
    new: bool
    open_subtasks: int | UnsetType = UNSET
    ended: tuple[int, ...] | UnsetType = UNSET


class TaskPage(Struct, frozen=True, kw_only=True):
    """Some tasks, and the cursor for the next ones (null: these were the last, or `cut` is true)."""

    tasks: tuple[Task, ...]
    next: str | None = None
    cut: bool | UnsetType = UNSET
