"""The dates of Todoist: ISO days and times, or words that mean a date or a recurrence at the time of the import."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from todo_cli.errors import Invalid
from todo_cli.formats.iso_dates import is_iso, read_iso
from todo_cli.formats.moments import format_day, format_instant
from todo_cli.formats.records import ImportedRepeat, ReadOptions
from todo_cli.parsing.dates import parse_date, zone_of
from todo_cli.parsing.recurrence import first_occurrence, is_recurrence, parse_recurrence

READ_LANGUAGES = ("", "en")


class TodoistDate(NamedTuple):
    """A date of Todoist. `value` is null for a text that is none; `is_iso` is false for words."""

    value: str | None
    every: ImportedRepeat | None = None
    is_iso: bool = True


def find_zone(name: str | None, options: ReadOptions) -> ZoneInfo:
    """Return the zone of this name, that of the user for no name and for one that is in no database."""
    try:
        return zone_of(name) if name else options.zone
    except Invalid:
        return options.zone


def read_date(text: str, language: str, zone: ZoneInfo, options: ReadOptions) -> TodoistDate:
    """Return the date of a text."""
    text = text.strip()
    if not text:
        return TodoistDate(None)
    if is_iso(text):
        return TodoistDate(read_iso(text, zone))
    if language.strip().lower() not in READ_LANGUAGES:
        return TodoistDate(None, is_iso=False)
    try:
        every = read_rule(text, zone, options)
        if every:
            return TodoistDate(_find_first(text, every.rule, zone, options), every, is_iso=False)
        return TodoistDate(_format(parse_date(text, zone=zone.key, now=options.now)), is_iso=False)
    except Invalid:
        return TodoistDate(None, is_iso=False)


def read_rule(words: str, zone: ZoneInfo, options: ReadOptions) -> ImportedRepeat | None:
    """Return the rule of the words, None for words that are no rule. Raise Invalid for a rule finer than a day."""
    if not is_recurrence(words, zone=zone.key, now=options.now):
        return None
    recurrence = parse_recurrence(words, zone=zone.key, now=options.now)
    if recurrence.rule.startswith("FREQ=HOURLY"):
        raise Invalid("a rule that is finer than a day")
    return ImportedRepeat(rule=recurrence.rule, from_done=recurrence.from_done)


def _find_first(words: str, rule: str, zone: ZoneInfo, options: ReadOptions) -> str | None:
    start = parse_recurrence(words, zone=zone.key, now=options.now).start
    return _format(first_occurrence(rule, zone=zone.key, now=options.now, start=start))


def _format(when: date | datetime) -> str | None:
    return format_instant(when) if isinstance(when, datetime) else format_day(when)
