"""A task as every other tool's file gives it: the neutral record between the readers of formats and the core.

Dates are texts in ISO form: `YYYY-MM-DD` is a day, `YYYY-MM-DDTHH:MM:SSZ` an instant. The readers do not check limits:
the import does, so that every format refuses the same records in the same words.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

DayOrInstant = str
"""`2026-12-04` or `2026-12-04T13:30:00Z`."""


class ImportedRepeat(Struct, frozen=True, kw_only=True):
    """How a task recurs: an RRULE as `recurrence.repeat()` writes it, counted from the due date or from completion."""

    rule: str
    from_done: bool = False


class ImportedSeries(Struct, frozen=True, kw_only=True):
    """The place of a task in a series, from 1. The `id` is the source's own."""

    id: Annotated[str, Meta(min_length=1, max_length=500)]
    occurrence: Annotated[int, Meta(ge=1, le=2**31 - 1)]


class ImportedComment(Struct, frozen=True, kw_only=True):
    """A comment as the source has it. `at` and `by` are null where the source does not know them."""

    at: DayOrInstant | None = None
    by: str | None = None
    text: str


class ImportedTask(Struct, frozen=True, kw_only=True):
    """One task of a file.

    `source_id` is the task's identity in its file: its own id there, else `line:N` or `row:N`. `parent` and `after` are
    such ids, also of tasks that come later in the file. `every` is set only where completing the task makes the next
    occurrence. `kept` has the values that no field of ours can take, so that an export in the same format gives them
    back. `lost` are the words for the report: properties of the task that have no effect here.
    """

    source_id: str
    title: str
    note: str | None = None
    status: Literal["open", "done", "deleted"] = "open"
    due: DayOrInstant | None = None
    scheduled: DayOrInstant | None = None
    defer: DayOrInstant | None = None
    priority: int | None = None
    project: str | None = None
    tags: tuple[str, ...] = ()
    parent: str | None = None
    after: tuple[str, ...] = ()
    every: ImportedRepeat | None = None
    series: ImportedSeries | None = None
    started_at: DayOrInstant | None = None
    tracked: int = 0
    assigned_to: str | None = None
    created_at: DayOrInstant | None = None
    completed_at: DayOrInstant | None = None
    deleted_at: DayOrInstant | None = None
    comments: tuple[ImportedComment, ...] = ()
    kept: dict[str, Any] = {}
    lost: tuple[str, ...] = ()


def own_identity(source_id: str | None) -> str | None:
    """Return the source's own id of a task, None for a place such as `line:7` or `row:2`."""
    is_place = source_id is not None and source_id.partition(":")[0] in ("line", "row")
    return None if is_place else source_id
