"""The dates of iCalendar as neutral texts, and back: days, instants, and times in a zone or in none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from todo_cli.errors import Invalid
from todo_cli.formats.icalendar_lines import Property
from todo_cli.formats.moments import format_day, format_instant, read_moment
from todo_cli.parsing.dates import zone_of

_ZONE_OF_LINE = re.compile(r'^[^:"]*;TZID=(?:"([^"]*)"|([^";:,]*))', re.IGNORECASE)
_ONE_DAY = timedelta(days=1)


class ReadDate(NamedTuple):
    """A date of a property. `value` is null for a text that is none.

    is_exact: the neutral text says all that the line says, so that the line need not be kept.
    has_unknown_zone: the zone is in no database and not in the file: the user's zone was taken.
    """

    value: str | None
    is_exact: bool = True
    has_unknown_zone: bool = False


class Zones:
    """The time zones of a file: those of the zone database first, then those that the file defines."""

    def __init__(self, home: ZoneInfo, definitions: Iterable[list[str]] = ()) -> None:
        self.home = home
        self._definitions = {zone_name(lines): lines for lines in definitions}
        self._found: dict[str, tzinfo | None] = {}

    def find(self, name: str) -> tzinfo | None:
        """Return the zone of this name, None for one that is in no database and not in the file."""
        if name not in self._found:
            self._found[name] = _find_zone(name) or self._find_own(name) or _find_windows_zone(name)
        return self._found[name]

    def find_definitions(self, lines: Iterable[str]) -> list[str]:
        """Return the components of the file for those zones of the lines that are in no database."""
        names = {name: None for line in lines if (name := find_zone_name(line))}
        own = [name for name in names if name in self._definitions and not _find_zone(name)]
        return [line for name in own for line in self._definitions[name]]

    def _find_own(self, name: str) -> tzinfo | None:
        if name not in self._definitions:
            return None
        from icalendar import Timezone

        try:
            definition = Timezone.from_ical("\r\n".join([*self._definitions[name], ""]))
            zone: tzinfo | None = definition.to_tz() if isinstance(definition, Timezone) else None
            if zone:
                zone.utcoffset(datetime(2000, 1, 1))
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, ArithmeticError):
            return None  # the library has no error of its own for a definition that is broken
        return zone


def _find_zone(name: str) -> ZoneInfo | None:
    try:
        return zone_of(name)
    except Invalid:
        return None


def _find_windows_zone(name: str) -> ZoneInfo | None:
    """Return the zone of a name such as `W. Europe Standard Time`, which Outlook writes."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    return ZoneInfo(WINDOWS_TO_OLSON[name]) if name in WINDOWS_TO_OLSON else None


def zone_name(definition: Iterable[str]) -> str:
    """Return the name of a component VTIMEZONE."""
    return next((line.partition(":")[2] for line in definition if line.upper().startswith("TZID")), "")


def find_zone_name(line: str) -> str | None:
    """Return the zone that a content line names."""
    match = _ZONE_OF_LINE.match(line)
    return match[1] or match[2] if match else None


def read_date(entry: Property, zones: Zones) -> ReadDate:
    """Return the day or the instant of a property."""
    from icalendar import vDate, vDatetime

    text = entry.value.strip()
    try:
        if len(text) == len("20261204"):
            return ReadDate(format_day(vDate.from_ical(text)))
        moment = vDatetime.from_ical(text)
    except ValueError:
        return ReadDate(None, is_exact=False)
    if text.endswith("Z"):
        return ReadDate(_format(moment))
    name = entry.parameters.get("TZID")
    zone = zones.find(name) if name else zones.home
    instant = _format(moment.replace(tzinfo=zone or zones.home))
    return ReadDate(instant, is_exact=False, has_unknown_zone=zone is None)


def _format(moment: datetime) -> str | None:
    try:
        return format_instant(moment.astimezone(UTC))
    except (OverflowError, ValueError):
        return None


def add_duration(start: str, value: str, zones: Zones) -> str | None:
    """Return the end of a duration that begins on a day or at an instant, None for a text that is no duration."""
    from icalendar import vDuration

    try:
        length = vDuration.from_ical(value.strip())
        begin = read_moment(start)
        if isinstance(begin, datetime):
            return format_instant(begin + length)
        if length % _ONE_DAY:
            return format_instant(datetime.combine(begin, time(), zones.home).astimezone(UTC) + length)
        return format_day(begin + length)
    except (ValueError, OverflowError):
        return None


def format_date(name: str, value: str, parameters: str = "") -> str:
    """Return the content line of a property with a neutral text."""
    moment = read_moment(value)
    if isinstance(moment, datetime):
        return f"{name}{parameters}:{format_utc(moment)}"
    return f"{name}{parameters};VALUE=DATE:{_digits(moment)}"


def format_utc(moment: datetime) -> str:
    """Return an instant as `20261203T143000Z`."""
    moment = moment.astimezone(UTC)
    return f"{_digits(moment.date())}T{moment:%H%M%S}Z"


def _digits(day: date) -> str:
    return day.isoformat().replace("-", "")
