"""A task as it is stored: the only list of its columns, and the only conversion of a row to the contract's `Task`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, LiteralString

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract import task_types
from todo_cli.contract.limits import MAX_FULL_TASKS
from todo_cli.contract.task_types import Attachment, Reminder, Task, TaskStatus

NO_PRIORITY = 4  # sorts last in an index
DateOrInstant = date | datetime


class StoredRepeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The column `repeat`: how the task recurs.

    `anchor` is the first date of the series, `slot` the date of this occurrence by the rule. `template` has the values
    of the series where an edit has changed this occurrence alone, by column; a null is a value too.
    """

    rule: str
    from_done: bool
    zone: str
    anchor: str
    slot: str
    template: dict[str, Any] | None = None


class TaskRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of todo.tasks without `space_id` and the generated `due_sort`, then the task's tags and blockers.

    The names of the fields are the columns' names: SQL is derived from them, and the journal keeps tasks in this form.
    A field without a default is NOT NULL in the table. JSON omits the others where they are null or empty.
    """

    number: int
    id: str
    title: str
    status: TaskStatus
    priority: int
    tracked: int
    rev: int
    created_at: datetime
    updated_at: datetime
    note: str | None = None
    project: str | None = None
    due_on: date | None = None
    due_at: datetime | None = None
    completed_at: datetime | None = None
    deleted_at: datetime | None = None
    parent: int | None = None
    defer_on: date | None = None
    defer_at: datetime | None = None
    scheduled_on: date | None = None
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    series: str | None = None
    occurrence: int | None = None
    repeat: StoredRepeat | None = None
    claimed_by: str | None = None
    claim_token: str | None = None
    claimed_until: datetime | None = None
    attachments: tuple[Attachment, ...] | None = None
    remind: tuple[Reminder, ...] | None = None
    fence: int | None = None
    lost_claims: tuple[str, ...] | None = None
    discovered_from: int | None = None
    position: Decimal | None = None
    assigned_to: str | None = None
    tags: tuple[str, ...] = ()
    after: tuple[int, ...] = ()


OTHER_TABLES = ("tags", "after")  # todo.task_tags and todo.links
COLUMNS = tuple(name for name in TaskRow.__struct_fields__ if name not in OTHER_TABLES)
NEVER_UPDATED = ("number", "id", "created_at")  # the grants say so too
UPDATED = tuple(name for name in COLUMNS if name not in NEVER_UPDATED)
LONG_COLUMNS = ("note", "repeat")  # written only where they change, since Postgres would store the same text again
UPDATED_SHORT = tuple(name for name in UPDATED if name not in LONG_COLUMNS)


def list_columns(names: tuple[str, ...], alias: LiteralString = "") -> LiteralString:
    """Return column names as SQL writes them. They are identifiers of this module, so the text stays a constant."""
    return ", ".join(f"{alias}{name}" for name in names)


def date_of(row: TaskRow, name: str) -> DateOrInstant | None:
    """Return the date `name` (due, defer or scheduled), which is a day or an instant."""
    value: DateOrInstant | None = getattr(row, f"{name}_on") or getattr(row, f"{name}_at")
    return value


def date_columns(name: str, value: DateOrInstant | None) -> dict[str, Any]:
    """Return the two columns of the date `name`, with an instant in UTC as the database returns it."""
    if isinstance(value, datetime):
        return {f"{name}_on": None, f"{name}_at": value.astimezone(UTC)}
    return {f"{name}_on": value, f"{name}_at": None}


def parse_date(text: str) -> DateOrInstant:
    """Read a day or an instant from its ISO form."""
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def format_date(value: DateOrInstant) -> str:
    """Return a day or an instant in its ISO form, instants in UTC. Inverse of `parse_date`."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()


def to_task(row: TaskRow) -> Task:
    """Return the row as the contract has it."""
    return Task(
        number=row.number,
        id=row.id,
        title=row.title,
        status=row.status,
        due=_contract_date(row, "due"),
        project=row.project,
        tags=row.tags,
        priority=None if row.priority == NO_PRIORITY else row.priority,
        note=row.note,
        parent=row.parent,
        after=row.after,
        defer=_contract_date(row, "defer"),
        scheduled=_contract_date(row, "scheduled"),
        started_at=row.started_at,
        tracked=row.tracked,
        repeat=_contract_repeat(row),
        claimed_by=row.claimed_by,
        claimed_until=row.claimed_until,
        fence=row.fence,
        discovered_from=row.discovered_from,
        assigned_to=row.assigned_to,
        position=None if row.position is None else str(row.position),
        remind=row.remind,
        rev=row.rev,
        created_at=row.created_at,
        updated_at=row.updated_at,
        completed_at=row.completed_at,
        deleted_at=row.deleted_at,
    )


def to_tasks(rows: Sequence[TaskRow]) -> tuple[Task, ...]:
    """Return the rows of an answer as the contract has them, without notes where they are many."""
    tasks = map(to_task, rows)
    return tuple(replace(task, note=UNSET) for task in tasks) if len(rows) > MAX_FULL_TASKS else tuple(tasks)


def _contract_date(row: TaskRow, name: str) -> str | None:
    value = date_of(row, name)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return value.isoformat() if value else None


def _contract_repeat(row: TaskRow) -> task_types.Repeat | None:
    if row.repeat is None:
        return None
    return task_types.Repeat(
        rule=row.repeat.rule,
        from_done=row.repeat.from_done,
        zone=row.repeat.zone,
        series=row.series or "",
        occurrence=row.occurrence or 1,
    )
