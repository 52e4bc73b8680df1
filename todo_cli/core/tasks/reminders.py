"""Reminders of a task: reading them, and the rules of a row's list. The database schedules them when the row is stored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from todo_cli.contract.clock import Clock
from todo_cli.contract.limits import MAX_REMINDERS_PER_TASK
from todo_cli.contract.task_types import Reminder
from todo_cli.errors import Invalid

if TYPE_CHECKING:
    from todo_cli.core.tasks.rows import TaskRow


def is_instant(text: str) -> bool:
    """Whether the words name a date, not a time before the due date; raises Invalid."""
    from todo_cli.parsing.reminders import parse_lead

    return parse_lead(text) is None


def read_reminders(texts: Sequence[str], user: str, clock: Clock | None) -> tuple[Reminder, ...]:
    """Return a user's reminders, each once; raises Invalid for words that name none."""
    if not texts:
        return ()
    assert clock  # noqa: S101  # the caller has read it for the texts
    return tuple(dict.fromkeys(_read_reminder(text, user, clock) for text in texts))


def _read_reminder(text: str, user: str, clock: Clock) -> Reminder:
    from todo_cli.parsing.dates import zone_of
    from todo_cli.parsing.reminders import DAY_START, parse_lead

    if lead := parse_lead(text):
        return Reminder(user=user, zone=clock.zone, days=lead.days, seconds=lead.seconds)
    value = _parse_date(text, clock)
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(DAY_START.hour), zone_of(clock.zone))
    return Reminder(user=user, zone=clock.zone, at=value.astimezone(UTC))


def read_coming_reminders(texts: Sequence[str], user: str, clock: Clock | None) -> tuple[Reminder, ...]:
    """As `read_reminders`; raises Invalid also for a time that has passed."""
    reminders = read_reminders(texts, user, clock)
    if clock:
        raise_for_passed(reminders, clock.now)
    return reminders


def raise_for_passed(reminders: Sequence[Reminder], now: datetime) -> None:
    """Raise Invalid for a new reminder at a time that has passed.

    This is a matter of the rule, behind the look-up of the idempotency key: a request that has acted, and is repeated
    once its time has passed, is answered as before.
    """
    for reminder in reminders:
        if reminder.at and reminder.at <= now:
            time = f"{reminder.at:%Y-%m-%d %H:%M} UTC"
            raise Invalid(f"the time to remind, {time}, has passed already", hint="name a time that is still to come")


def _parse_date(text: str, clock: Clock) -> date | datetime:
    from todo_cli.core.validation import parse_date_at

    try:
        return parse_date_at(text, clock)
    except Invalid as error:
        hint = "for example: '1h before', 'at due', 'tomorrow 9am'"
        raise Invalid(f"{text[:40]!r} is not a time to remind", hint=hint) from error


def make_usual_reminder(length: str | None, user: str, zone: str) -> tuple[Reminder, ...] | None:
    """Return the reminder of a new task by the user's preference; None without one."""
    if length is None:
        return None
    from todo_cli.parsing.reminders import parse_lead

    lead = parse_lead(length)
    return (Reminder(user=user, zone=zone, days=lead.days, seconds=lead.seconds),) if lead else None


def replace_reminders(
    reminders: tuple[Reminder, ...] | None, own: tuple[Reminder, ...] | UnsetType, user: str
) -> tuple[Reminder, ...] | None:
    """Return a row's reminders with others of the user, those of other users unchanged; raises Invalid for too many."""
    if own is UNSET:
        return reminders
    others = tuple(each for each in reminders or () if each.user != user)
    replaced = tuple(dict.fromkeys((*others, *own)))
    if len(replaced) > MAX_REMINDERS_PER_TASK:
        raise Invalid(
            f"a task can have at most {MAX_REMINDERS_PER_TASK} reminders; nothing was changed",
            hint="remove those that it has with: todo remind N --clear",
        )
    return replaced


def raise_for_no_due(rows: Sequence[TaskRow], user: str) -> None:
    """Raise Invalid for a task without a due date that is to remind the user before it."""
    for row in rows:
        if row.due_on or row.due_at:
            continue
        if any(each.user == user and each.at is None for each in row.remind or ()):
            name = f"task #{row.number}" if row.number else "the task"
            raise Invalid(
                f"{name} has no due date to remind before; nothing was changed",
                hint="give it one (--due), or name the time of the reminder: 'tomorrow 9am'",
            )
