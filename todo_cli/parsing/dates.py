"""Dates as people type them, and the calendar of their time zone. Pure, and light to import.

The words and what each means are the tables of `calendar_words.py`; here they are joined to a moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from todo_cli.errors import Invalid
from todo_cli.parsing.date_vocabulary import ALONE, DAYS, TIMES, find

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

When = date | datetime  # a date without a time is a date; a datetime is always aware, in the user's zone

MAX_DATE_CHARS = 200  # characters
# A day inside the calendar's own ends, so that no zone's offset (under 24 h) can carry an instant past them.
EARLIEST, LATEST = date(1, 1, 2), date(9999, 12, 30)
EXAMPLES = "try: tomorrow 9am, fri 17:00, next week, in 3 days, 24 dec, the 15th, eom, 2026-12-24"
# In the zone database's folder too, but they differ from machine to machine or count leap seconds.
EXCLUDED_ZONE_PREFIXES = ("posix", "right/", "localtime", "Factory")
LOCALTIME_PATH, TIMEZONE_PATH = "/etc/localtime", "/etc/timezone"
# The only zone names that have digits and no slash; any other such TZ is a POSIX rule like CET-1CEST.
ZONES_WITH_DIGITS = {"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"}


def parse_date(words: str, *, zone: str, now: datetime) -> When:
    """The date or the instant that `words` mean at `now` (aware) in `zone`; Invalid when they mean none.

    - A weekday is the next one after today; `this fri` may be today; `next fri` is the Friday of the
      calendar week (Monday first, ISO 8601) after this one; `last fri` is the one before today.
    - A day of the month or of the year without its month or year is the first from today on, a bare
      month the 1st of the next one to begin.
    - `next week`, `next month`, `next year` are their first days, `weekend` is Saturday (or today, if
      it is on); Taskwarrior's sow, som, soq, soy and eow, eom, eoq, eoy are the first and last day of
      the current period, sonw or eopm those of the next or the previous one.
    - Days, weeks, months and years away give a date, and months clamp to the month's end; minutes and
      hours away give an instant. `3m` and `5/6` are refused, for they have two meanings.
    - A time alone is today's, or tomorrow's when that has passed; midnight is the start of its day;
      eod is 23:59 today and sod 00:00, passed or not.
    - A local time that daylight saving skips moves forward by the gap, one that occurs twice is the
      first (RFC 5545 section 3.3.5).
    """
    place = zone_of(zone)
    try:
        here = now.astimezone(place)
        return _settled(_read(_plain(words), here), place)
    except (ValueError, OverflowError) as error:
        raise Invalid(f"{words[:60]!r} is not a date: {error}", hint=EXAMPLES) from None


def _plain(words: str) -> str:
    if len(words) > MAX_DATE_CHARS:
        raise ValueError(f"longer than {MAX_DATE_CHARS} characters")
    if not (words.isascii() and words.isprintable()):
        raise ValueError("it has characters that no date is written with")
    text = " ".join(words.lower().replace(", ", " ").split())
    if not text:
        raise ValueError("it is empty")
    return text


def _read(text: str, here: datetime) -> When:
    """A date, an aware datetime, or a naive one that means the user's wall clock."""
    if alone := find(ALONE, text, here):
        return alone()
    today = here.date()
    for day_text, time_text in _splits(text.split()):
        day, clock = find(DAYS, day_text.removeprefix("on "), today), find(TIMES, time_text, today)
        if day and clock:
            return datetime.combine(day(), clock())
        if day and not time_text:
            return day()
        if clock and not day_text:
            return _coming(clock(), here)
    raise ValueError("no such day or time is known")


def _splits(tokens: list[str]) -> Iterator[tuple[str, str]]:
    """Every way to take the phrase as a day, a time, or one after the other."""
    for cut in range(len(tokens), -1, -1):
        left, right = " ".join(tokens[:cut]), " ".join(tokens[cut:])
        yield left, right
        if left and right:
            yield right, left


def _coming(clock: time, here: datetime) -> datetime:
    """That time today, or tomorrow when it has passed."""
    today = datetime.combine(here.date(), clock)
    # In UTC, for between two times of one zone Python compares the clocks and not the instants.
    passed = today.replace(tzinfo=here.tzinfo).astimezone(UTC) < here.astimezone(UTC)
    return today + timedelta(days=1) if passed else today


def _settled(found: When, place: ZoneInfo) -> When:
    """`found` in the user's zone, and inside the calendar."""
    if isinstance(found, datetime):
        # By way of UTC, which turns a skipped local time into the real one that RFC 5545 3.3.5 means.
        found = (found if found.tzinfo else found.replace(tzinfo=place)).astimezone(UTC).astimezone(place)
    _inside(found.date() if isinstance(found, datetime) else found)
    return found


def _inside(day: date) -> None:
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"it is not between {EARLIEST} and {LATEST}")


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """When that day starts and when the next one does, in UTC: 23, 24 or 25 hours apart, or others.

    A day whose midnight daylight saving skips starts at the first instant that it has.
    """
    place = zone_of(zone)
    try:
        _inside(day)
    except ValueError as error:
        raise Invalid(f"{day} has no bounds: {error}") from None
    midnights = (datetime.combine(it, time(), place) for it in (day, day + timedelta(days=1)))
    start, end = (midnight.astimezone(UTC) for midnight in midnights)
    return start, end


def zone_of(name: str) -> ZoneInfo:
    """The IANA time zone of that name; Invalid with the nearest names when there is none."""
    from zoneinfo import ZoneInfo

    try:
        if name.startswith(EXCLUDED_ZONE_PREFIXES):
            raise ValueError(name)
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder, or too long for a file
        near = " or ".join(_near_zones(name[:60]))
        hint = f"did you mean {near}?" if near else "use an IANA name such as Europe/Berlin or UTC"
        raise Invalid(f"unknown time zone {name[:60]!r}", hint=hint) from None


def _near_zones(name: str) -> list[str]:
    from difflib import get_close_matches
    from zoneinfo import available_timezones

    known = sorted(zone for zone in available_timezones() if not zone.startswith(EXCLUDED_ZONE_PREFIXES))
    by_word = {zone.lower(): zone for zone in known} | {zone.rsplit("/")[-1].lower(): zone for zone in known}
    near = get_close_matches(name.lower().replace(" ", "_"), by_word, n=3, cutoff=0.7)
    return list(dict.fromkeys(by_word[word] for word in near))


def system_zone() -> str:
    """This machine's zone by its IANA name, from TZ, /etc/localtime or /etc/timezone; UTC when unknown.

    TZ wins when it is set, also when it is a POSIX rule such as CET-1CEST that has no name: then UTC.
    """
    if (setting := os.environ.get("TZ")) is not None:
        return _zone_name(setting.removeprefix(":")) or "UTC"
    return next(filter(None, map(_zone_name, _zone_files())), "UTC")


def _zone_files() -> Iterator[str]:
    """What the machine's files say, nearest first; an empty text for one that is not there."""
    for read, path in ((os.readlink, LOCALTIME_PATH), (os.path.realpath, LOCALTIME_PATH), (_first_line, TIMEZONE_PATH)):
        try:
            yield read(path)
        except (OSError, UnicodeError):
            yield ""


def _first_line(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.readline(256).strip()


def _zone_name(text: str) -> str:
    """`Europe/Berlin` out of that, or out of a path into a zoneinfo tree; empty when it is neither."""
    _, tree, inside = text.rpartition("zoneinfo/")
    name = (inside if tree else text).removeprefix("posix/").removeprefix("right/")
    rule = "/" not in name and any(char.isdigit() for char in name) and name not in ZONES_WITH_DIGITS
    plain = name.replace("/", "").replace("_", "").replace("-", "").replace("+", "").isalnum()
    return name if plain and name[0].isalpha() and not rule else ""
