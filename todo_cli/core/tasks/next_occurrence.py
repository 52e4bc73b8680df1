"""Recurring tasks have one row per occurrence: the rule for the next occurrence, and skipping one."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import msgspec
from msgspec.structs import replace

from todo_cli.contract.ids import new_id
from todo_cli.contract.task_types import Reminder
from todo_cli.contract.time_tracking import SkipTasks
from todo_cli.core.tasks.assignees import drop_former_assignee
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.rows import DateOrInstant, TaskRow, date_columns, date_of, format_date, parse_date
from todo_cli.core.tasks.select import name_tasks, raise_for_done, read_targets, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict


async def want_series(tx: Transaction, request: SkipTasks) -> Wanted:
    """Read the next occurrences too."""
    wanted = await read_targets(tx, request)
    wanted.with_series = True
    return wanted


@writes(SkipTasks, wanted=want_series)
def skip_tasks(loaded: Loaded, wanted: Wanted, request: SkipTasks) -> Edits:
    """Move each occurrence to its next date; raises Conflict for a task that does not recur or has no next date."""
    rows = select_rows(loaded, wanted)
    raise_for_done(rows)
    if once := [row.number for row in rows if row.repeat is None]:
        verb = "does" if len(once) == 1 else "do"
        raise Conflict(
            f"{name_tasks(once)} {verb} not recur; nothing was changed",
            hint=f"make it recur, for example: todo edit {once[0]} --every week",
        )
    following = next_by_series(loaded)
    return Edits(rows=[_skip(row, following.get(_next_key(row)), loaded.now) for row in rows])


def _skip(row: TaskRow, following: TaskRow | None, now: datetime) -> TaskRow:
    if following and following.status != "deleted":
        raise Conflict(
            f"the occurrence after #{row.number} exists already: #{following.number}; nothing was changed",
            hint=f"delete this one with: todo rm {row.number}",
        )
    coming = next_occurrence(row, now, skip=True)
    if coming is None or row.repeat is None or coming.repeat is None:
        raise Conflict(
            f"task #{row.number} is the last of its series; nothing was changed",
            hint=f"complete it with: todo done {row.number}, or delete it with: todo rm {row.number}",
        )
    return replace(
        row,
        due_on=coming.due_on,
        due_at=coming.due_at,
        defer_on=coming.defer_on,
        defer_at=coming.defer_at,
        scheduled_on=coming.scheduled_on,
        scheduled_at=coming.scheduled_at,
        repeat=replace(row.repeat, slot=coming.repeat.slot),
    )


SeriesKey = tuple[str | None, int]


def _next_key(row: TaskRow) -> SeriesKey:
    return row.series, (row.occurrence or 0) + 1


def next_by_series(loaded: Loaded) -> dict[SeriesKey, TaskRow]:
    """Return the loaded next occurrences by series and place in it."""
    return {(row.series, row.occurrence or 0): row for row in loaded.next_occurrences}


def create_next(rows: list[TaskRow], loaded: Loaded) -> tuple[list[TaskRow], list[int]]:
    """Return the next occurrences of open recurring tasks, and the numbers of the tasks that were their series' last.

    An occurrence that exists is left alone, or comes back from the trash, where an undo has put it.
    """
    existing = next_by_series(loaded)
    created: list[TaskRow] = []
    ended: list[int] = []
    number = loaded.next_number
    for row in rows:
        if row.status != "open" or not row.repeat:
            continue
        following = existing.get(_next_key(row))
        if following and following.status != "deleted":
            continue
        coming = next_occurrence(row, loaded.now)
        if coming and coming.assigned_to != row.assigned_to:  # that of the series, who may have left since
            coming = drop_former_assignee(coming, loaded)
        if coming is None:
            ended.append(row.number)
        elif following:
            created.append(_revive(following, coming))
        else:
            created.append(replace(coming, number=number))
            number += 1
    return created, ended


def split_next(rows: list[TaskRow], loaded: Loaded) -> tuple[list[TaskRow], list[TaskRow]]:
    """Return the open next occurrences of done rows: those that are as completion has created them, and the others.

    One that is among the rows itself is in neither.
    """
    named = {row.number for row in rows}
    existing = {key: row for key, row in next_by_series(loaded).items() if row.number not in named}
    untouched: list[TaskRow] = []
    touched: list[TaskRow] = []
    for row in rows:
        following = existing.get(_next_key(row))
        if row.status != "done" or following is None or following.status != "open":
            continue
        # completion stores both at once, a redo gives both the same rev
        is_new = following.updated_at == row.completed_at or following.rev == row.rev
        is_used = following.number in loaded.used_occurrences
        (untouched if is_new and not is_used else touched).append(following)
    return untouched, touched


def _revive(trashed: TaskRow, coming: TaskRow) -> TaskRow:
    return replace(
        coming,
        number=trashed.number,
        id=trashed.id,
        created_at=trashed.created_at,
        rev=trashed.rev,
        tracked=trashed.tracked,
        after=trashed.after,
        fence=trashed.fence,
        lost_claims=trashed.lost_claims,
        discovered_from=trashed.discovered_from,
    )


def next_occurrence(row: TaskRow, now: datetime, *, skip: bool = False) -> TaskRow | None:
    """Return the occurrence after this one as a new row without a number; None where the series ends.

    It falls on the rule's first date after this one's that has not passed: missed dates are not made up for. It has the
    series' values where an edit has changed this occurrence alone. Its other dates keep their distance to the due date.
    """
    from todo_cli.parsing import recurrence

    repeat = row.repeat
    if repeat is None:
        return None
    slot = parse_date(repeat.slot)
    due = recurrence.next_occurrence(
        repeat.rule,
        anchor=parse_date(repeat.anchor),
        zone=repeat.zone,
        from_done=repeat.from_done,
        occurrence=row.occurrence or 1,
        after=now if repeat.from_done and not skip else _latest_passed(slot, now, repeat.zone, skip=skip),
    )
    if due is None:
        return None
    series = msgspec.convert(msgspec.to_builtins(row) | (repeat.template or {}), TaskRow)
    days = (_day_of(due, repeat.zone) - _day_of(slot, repeat.zone)).days
    return TaskRow(
        number=0,
        id=new_id(),
        title=series.title,
        status="open",
        priority=series.priority,
        tracked=0,
        rev=0,
        created_at=now,
        updated_at=now,
        note=series.note,
        project=series.project,
        parent=series.parent,
        tags=series.tags,
        position=row.position,
        assigned_to=series.assigned_to,
        series=row.series,
        occurrence=(row.occurrence or 0) + 1,
        repeat=replace(repeat, slot=format_date(due), template=None),
        remind=_move_reminders(series.remind, days),
        **date_columns("due", due),
        **date_columns("defer", _move(date_of(series, "defer"), days, repeat.zone)),
        **date_columns("scheduled", _move(date_of(series, "scheduled"), days, repeat.zone)),
    )


def _latest_passed(slot: DateOrInstant, now: datetime, zone: str, *, skip: bool) -> DateOrInstant:
    """Return the date that the next one must lie behind. To skip goes on by one date, even a date that has passed."""
    if skip:
        return slot
    if isinstance(slot, datetime):
        return max(slot, now)
    return max(slot, _day_of(now, zone) - timedelta(days=1))


def _move(value: DateOrInstant | None, days: int, zone: str) -> DateOrInstant | None:
    """Return the date so many days later, at the same time of day; None where the calendar ends."""
    from todo_cli.parsing.dates import zone_of

    if value is None:
        return None
    try:
        if not isinstance(value, datetime):
            return value + timedelta(days=days)
        local = value.astimezone(zone_of(zone))
        clock: time = local.timetz()
        return datetime.combine(local.date() + timedelta(days=days), clock).astimezone(UTC)
    except OverflowError:
        return None


def _move_reminders(reminders: tuple[Reminder, ...] | None, days: int) -> tuple[Reminder, ...] | None:
    """Return the reminders of the next occurrence: those at an instant so many days later."""
    if reminders is None:
        return None
    moved = [replace(each, at=_move(each.at, days, each.zone)) if each.at else each for each in reminders]
    return tuple(each for each, former in zip(moved, reminders, strict=True) if each.at or not former.at)


def _day_of(value: DateOrInstant, zone: str) -> date:
    from todo_cli.parsing.dates import zone_of

    return value.astimezone(zone_of(zone)).date() if isinstance(value, datetime) else value
