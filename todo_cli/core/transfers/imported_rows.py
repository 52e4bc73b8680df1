"""A task of another tool's file as a row: dates, the series and the recurrence."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID, uuid5

import msgspec
from msgspec.structs import replace

from todo_cli.contract.clock import Clock
from todo_cli.contract.ids import new_id
from todo_cli.contract.imports import RepeatToImport, SourceReferences, TaskToImport
from todo_cli.core import validation
from todo_cli.core.tasks.assignees import read_assignee
from todo_cli.core.tasks.positions import shift_position
from todo_cli.core.tasks.rows import NO_PRIORITY, DateOrInstant, StoredRepeat, TaskRow, date_columns, format_date
from todo_cli.errors import Invalid

NOT_IN_TEMPLATE = ("number", "id", "rev", "parent", "after", "series", "occurrence", "repeat")
"""Columns of a series' template that mean nothing in another space."""


def make_row(task: TaskToImport, clock: Clock, series: str | None) -> TaskRow:
    """Return the task as a new row without a number, a parent and blockers; raises Invalid for a value of no meaning."""
    try:
        row = _make_row(task, clock, series)
        return _set_repeat(row, task.repeat, clock) if task.repeat and row.status == "open" else row
    except Invalid as error:
        raise Invalid(f"{task.source_id}: {error.detail}", hint=error.hint, source_id=task.source_id) from None


def _make_row(task: TaskToImport, clock: Clock, series: str | None) -> TaskRow:
    dates: dict[str, Any] = {}
    for name in ("due", "scheduled", "defer"):
        dates |= date_columns(name, _read_moment(name, getattr(task, name)))
    return TaskRow(
        number=0,
        id=new_id(),
        title=validation.check_line("title", task.title),
        status=task.status,
        priority=task.priority or NO_PRIORITY,
        tracked=task.tracked,
        assigned_to=read_assignee(task.assigned_to),
        rev=0,
        created_at=read_instant("creation", task.created_at, clock) or clock.now,
        updated_at=clock.now,
        note=validation.check_text("note", task.note) if task.note else None,
        project=validation.check_line("project", task.project) if task.project else None,
        completed_at=read_instant("completion", task.completed_at, clock) if task.status == "done" else None,
        deleted_at=read_instant("deletion", task.deleted_at, clock) if task.status == "deleted" else None,
        started_at=read_instant("start", task.started_at, clock) if task.status == "open" else None,
        series=series,
        occurrence=task.series.occurrence if task.series else None,
        remind=task.remind or None,
        tags=validation.read_tags(task.tags),
        **dates,
    )


def name_series(space: str, file: str, task: TaskToImport) -> str | None:
    """Return the UUID of a series of a file: always the same in a space, and another one for other files."""
    return str(uuid5(UUID(space), f"{file}\0{task.series.id}")) if task.series else None


def _read_moment(name: str, text: str | None) -> DateOrInstant | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"the {name} date {text!r} is not in ISO form") from None
    if isinstance(moment, datetime) and moment.tzinfo is None:
        raise Invalid(f"the {name} date {text!r} names no time zone", hint="write an instant as 2026-12-04T13:30:00Z")
    return moment


def read_instant(name: str, text: str | None, clock: Clock) -> datetime | None:
    """Return an instant; of a day its first moment in the user's time zone."""
    from todo_cli.parsing.dates import zone_of

    moment = _read_moment(name, text)
    if moment is not None and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time(), zone_of(clock.zone))
    return moment.astimezone(UTC) if moment else None


def _set_repeat(row: TaskRow, repeat: RepeatToImport, clock: Clock) -> TaskRow:
    """Return the row with its recurrence; a task without a due date is due on the rule's first date."""
    from todo_cli.parsing.recurrence import first_occurrence, parse_recurrence

    zone = repeat.zone or clock.zone
    rule = parse_recurrence(repeat.rule, zone=zone, now=clock.now).rule
    due = row.due_on or row.due_at or first_occurrence(rule, zone=zone, now=clock.now)
    slot = _read_moment("slot", repeat.slot) or due
    anchor = _read_moment("anchor", repeat.anchor) or slot
    stored = StoredRepeat(
        rule=rule,
        from_done=repeat.from_done,
        zone=zone,
        anchor=format_date(anchor),
        slot=format_date(slot),
        template=_read_template(row, repeat.template) if repeat.template else None,
    )
    return replace(
        row,
        repeat=stored,
        series=row.series or row.id,
        occurrence=row.occurrence or 1,
        **date_columns("due", due),
    )


def _read_template(row: TaskRow, text: str) -> dict[str, Any]:
    """Return the values that the series has where this occurrence differs; raises Invalid where they are no values."""
    try:
        template = msgspec.json.decode(text, type=dict[str, Any])
        template = {name: value for name, value in template.items() if name not in NOT_IN_TEMPLATE}
        msgspec.convert(msgspec.to_builtins(row) | template, TaskRow)
    except msgspec.MsgspecError as error:
        raise Invalid(f"the values of the series are wrong: {error}") from None
    return template


def list_references(links: SourceReferences | None) -> list[str]:
    """Return the ids to which a task refers."""
    return [*links.after, *([links.parent] if links.parent else [])] if links else []


def place_row(row: TaskRow, task: TaskToImport, numbers: dict[str, int], restored: dict[int, TaskRow]) -> TaskRow:
    """Return the row with its number and its links to tasks that have one; a restored task keeps its id."""
    number = numbers[task.source_id]
    links = task.links or SourceReferences()
    return replace(
        row,
        number=number,
        id=restored[number].id if number in restored else row.id,
        position=shift_position(number, task.moved),
        parent=numbers.get(links.parent) if links.parent else None,
        after=tuple(sorted({numbers[source_id] for source_id in links.after if source_id in numbers})),
    )
