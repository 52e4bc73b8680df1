"""Exports: the Request that reads whole tasks page by page, for a file in the format of another tool."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Request
from todo_cli.contract.filters import Filter
from todo_cli.contract.imported_tasks import (
    DayOrInstant,
    ImportedComment,
    ImportedRepeat,
    ImportedSeries,
    own_identity,
)
from todo_cli.contract.imports import FormatName
from todo_cli.contract.limits import MAX_CURSOR_CHARS, MAX_EXPORTED_TASKS
from todo_cli.contract.task_types import Reminder


class TaskReference(Struct, frozen=True, kw_only=True):
    """A task that another one names: its number and id here, and its id in the file that it came from.

    `source_id` is null unless the task came from a file of the format that is written. `kept_id` is `kept.id` then.
    """

    number: int
    id: str
    source_id: str | None = None
    kept_id: str | None = None

    @property
    def identity(self) -> str:
        """The id that the format writes: the source's own, unless that is only a place in a file."""
        return own_identity(self.source_id) or self.id


class TaskSource(Struct, frozen=True, kw_only=True):
    """The record that a task was imported from, in whichever format: for our own format alone."""

    format: str
    id: str
    kept: dict[str, Any] = {}
    left_out: dict[str, Any] = {}
    series: str | None = None


class ExportedTask(Struct, frozen=True, kw_only=True):
    """One task to write. Its fields are those of `ImportedTask`; `parent` and `after` refer to tasks of the space.

    `source_id`, `kept` and `left_out` are of the format that is written, else empty. `left_out` are the `parent` and
    `after` of the source that lead to no task or close a circle. `series.id` is a UUID of ours, unless `source_series`
    has the source's. `created_at` is null where the task's source does not say it. `repeat`, `remind`, `moved` (by
    how much its position differs from its number) and `source` are for our own format alone.
    """

    number: int
    id: str
    title: str
    note: str | None = None
    status: str = "open"
    due: DayOrInstant | None = None
    scheduled: DayOrInstant | None = None
    defer: DayOrInstant | None = None
    priority: int | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    parent: TaskReference | None = None
    after: tuple[TaskReference, ...] = ()
    has_subtasks: bool = False
    every: ImportedRepeat | None = None
    series: ImportedSeries | None = None
    source_series: str | None = None
    started_at: DayOrInstant | None = None
    tracked: int = 0
    assigned_to: str | None = None
    created_at: DayOrInstant | None = None
    updated_at: DayOrInstant
    completed_at: DayOrInstant | None = None
    deleted_at: DayOrInstant | None = None
    comments: tuple[ImportedComment, ...] = ()
    attachments: int = 0
    source_id: str | None = None
    kept: dict[str, Any] = {}
    left_out: dict[str, Any] = {}
    repeat: dict[str, Any] | None = None
    remind: tuple[Reminder, ...] = ()
    moved: str | None = None
    source: TaskSource | None = None

    @property
    def identity(self) -> str:
        """The id that the format writes: the source's own, unless that is only a place in a file."""
        return own_identity(self.source_id) or self.id


class ExportPage(Struct, frozen=True, kw_only=True):
    """A page of tasks; `next` is the cursor of the next page, null on the last. `seq` is the space's last change."""

    tasks: tuple[ExportedTask, ...]
    seq: int
    next: str | None = None


class ExportTasks(Request[ExportPage], frozen=True, kw_only=True):
    """Read whole tasks in the order of their numbers, or by project: all, unless a filter or a status is given.

    `format` decides which kept values of imported tasks are read: those that came from a file of the same format.
    """

    verb = "ExportTasks"
    label = "export"
    past = "Exported"
    route = "GET /v1/exports"
    write = False

    format: FormatName
    filter: Filter | None = None
    status: Literal["open", "done", "deleted", "all"] = "all"
    by_project: bool = False
    limit: Annotated[int, Meta(ge=1, le=MAX_EXPORTED_TASKS)] = MAX_EXPORTED_TASKS
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR_CHARS)] | None = None
