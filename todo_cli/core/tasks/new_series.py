"""Begin a series: read a recurrence, and make a task its first occurrence."""

from __future__ import annotations

import msgspec

from todo_cli.contract.clock import Clock
from todo_cli.core.tasks.rows import DateOrInstant, StoredRepeat, TaskRow, date_columns, format_date


class NewRepeat(msgspec.Struct, frozen=True, kw_only=True):
    """A recurrence that a task is given; `first` is the due date of a task without one."""

    rule: str
    from_done: bool
    zone: str
    first: DateOrInstant


def read_repeat(words: str, clock: Clock) -> NewRepeat:
    """Return the recurrence that the words mean; raises Invalid."""
    from todo_cli.parsing.recurrence import first_occurrence, parse_recurrence

    now = clock.now
    parsed = parse_recurrence(words, zone=clock.zone, now=now, week_start=clock.week_start)
    zone = parsed.zone or clock.zone
    first = first_occurrence(parsed.rule, zone=zone, now=now, start=parsed.start)
    return NewRepeat(rule=parsed.rule, from_done=parsed.from_done, zone=zone, first=first)


def start_series(row: TaskRow, repeat: NewRepeat) -> TaskRow:
    """Return the row as an occurrence of a series that begins on its due date, or else on the rule's first date."""
    first = row.due_on or row.due_at or repeat.first
    text = format_date(first)
    stored = StoredRepeat(rule=repeat.rule, from_done=repeat.from_done, zone=repeat.zone, anchor=text, slot=text)
    return msgspec.structs.replace(
        row,
        repeat=stored,
        series=row.series or row.id,
        occurrence=row.occurrence or 1,
        **date_columns("due", first),
    )
