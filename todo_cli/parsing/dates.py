"""Parse dates as people type them, and compute the bounds of a day in a time zone.

`date_forms.py` holds the forms and their meaning. This module joins them to a day or an instant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from todo_cli.errors import Invalid
from todo_cli.parsing.date_forms import ALONE, PARTS, TIMES, find_day, find_form, find_named_period
from todo_cli.parsing.date_readers import Week
from todo_cli.parsing.date_vocabulary import DAY_PARTS, ZONES

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

When = date | datetime  # a date has no time of day; a datetime is always aware, in the user's zone

MAX_DATE_CHARS = 200
MAX_ZONE_CHARS = 60  # of a name in a message; the longest zone has 32
# One day inside the calendar's own ends, so that no zone's offset (under 24 h) can carry an instant past them.
EARLIEST, LATEST = date(1, 1, 2), date(9999, 12, 30)
EXAMPLES = "try: tomorrow 9am, fri 17:00, next week, in 3 days, 24 dec, the 15th, eom, 2026-12-24"
_PART_HOURS = {"morning": (0, 12), "afternoon": (12, 18), "evening": (15, 24), "night": (18, 24)}
_PART_WITH_TIME = re.compile(r"(?P<day>.+?)(?: in the| at)? (?P<part>morning|afternoon|evening|night) (?P<time>.+)")
# These names of the zone database differ between machines or count leap seconds.
EXCLUDED_ZONE_PREFIXES = ("posix", "right/", "localtime", "Factory")


def parse_date(words: str, *, zone: str, now: datetime, week_start: int = 0) -> When:
    """Return the date or the instant that `words` mean at `now` (aware) in `zone`. Raise Invalid if they mean none.

    - A weekday is the next one after today. `this fri` may be today. `next fri` is the Friday of the next calendar
      week, which begins on `week_start` (0 is Monday). `last fri` is the one before today.
    - A day of the month or of the year without its month or year is the first from today on. A month alone is
      the first day of the next such month.
    - A weekday beside a date (`fri 4 dec`) must agree with it.
    - `next week`, `next month` and `next year` are their first days. `weekend` is Saturday, or today during a
      weekend. Taskwarrior's sow, som, soq, soy and eow, eom, eoq, eoy are the first and the last day of the
      current period; sonw and eopm are those of the next and the previous one.
    - Days, weeks, months and years from now give a date, and months clamp to the end of the month. Minutes and
      hours give an instant. `3m` and `5/6` have two meanings and are refused.
    - A time alone is today, or tomorrow if it has passed. midnight is the start of its day. eod is 23:59 and sod
      is 00:00 today, even if they have passed. A part of the day counts beside a day: `monday morning`.
    - A zone may follow a time: `3pm EST tomorrow`, `10:00 America/New_York`. The day is then that zone's.
    - A local time that daylight saving skips moves forward by the gap. A local time that occurs twice is the first
      (RFC 5545 section 3.3.5).
    """
    home = zone_of(zone)
    try:
        text, named_zone = split_zone(_clean(words))
        local_now = now.astimezone(zone_of(named_zone) if named_zone else home)
        found = _settle(_parse(text, local_now, week_start), zone_of(named_zone) if named_zone else home)
        return found.astimezone(home) if isinstance(found, datetime) else found
    except (ValueError, OverflowError) as error:
        from todo_cli.parsing.date_errors import describe_date_error

        raise Invalid(f"{words[:60]!r} is not a date: {describe_date_error(error)}", hint=EXAMPLES) from None


def _clean(words: str) -> str:
    """Check the characters and normalize the spaces."""
    if len(words) > MAX_DATE_CHARS:
        raise ValueError(f"longer than {MAX_DATE_CHARS} characters")
    if not (words.isascii() and words.isprintable()):
        raise ValueError("it has characters that no date is written with")
    text = " ".join(words.replace(", ", " ").split())
    if not text:
        raise ValueError("it is empty")
    return text


def split_zone(text: str) -> tuple[str, str | None]:
    """Return the text in lower case without the zone that follows its time or part of the day, and the zone."""
    words = text.split()
    for place, word in enumerate(words):
        zone = find_zone(word) if place else None
        if zone:
            before = [" ".join(words[start:place]).lower() for start in range(max(0, place - 3), place)]
            if any(find_form(table, phrase, date(2000, 1, 1)) for phrase in before for table in (TIMES, PARTS)):
                return " ".join(words[:place] + words[place + 1 :]).lower(), zone
    return text.lower(), None


def find_zone(word: str) -> str | None:
    """Return the zone that an abbreviation (`EST`) or an IANA name (`America/New_York`) names, if it names one."""
    if word.lower() in ZONES and (len(word) > 2 or word.isupper()):
        return ZONES[word.lower()]
    if "/" not in word or not word[0].isalpha():
        return None
    return word if _is_zone(word) else None


def name_zone(zone: str) -> str:
    """Return the words that `find_zone` reads as the zone: `EST` for a fixed distance from UTC, else its own name."""
    short = next(
        (word.upper() for word, name in ZONES.items() if name == zone and zone.startswith(("Etc/", "UTC"))), ""
    )
    return short or zone


def is_time_of_day(words: str) -> bool:
    """Return whether the words are a time without a day, such as `at 6pm` or `6pm EST`."""
    text, _ = split_zone(" ".join(words.split()))
    try:
        read = find_form(TIMES, text, date(2000, 1, 1))
        return read is not None and read() is not None
    except ValueError:
        return False


def find_period_bounds(words: str, *, zone: str, now: datetime, week_start: int) -> tuple[date, date] | None:
    """Return the first and the last day of `week`, `this month` or `next year`; None for words that name no period."""
    return find_named_period(words, Week(now.astimezone(zone_of(zone)).date(), week_start))


def _parse(text: str, local_now: datetime, week_start: int) -> When:
    """Return a date, an aware datetime, or a naive one that means the wall clock of the zone."""
    if read := find_form(ALONE, text, local_now):
        return read()
    today = local_now.date()
    week = Week(today, week_start)
    if found := _parse_part_with_time(text, week):
        return found
    for day_text, time_text in _split_day_and_time(text.split()):
        day = find_day(day_text.removeprefix("on "), week)
        clock = find_form(TIMES, time_text, today)
        if day and not clock and text.startswith(day_text):
            clock = find_form(PARTS, time_text, today)
        if day and clock:
            return datetime.combine(day(), clock())
        if day and not time_text:
            return day()
        if clock and not day_text:
            return _next_at(clock(), local_now)
    raise ValueError("no such day or time is known")


def _parse_part_with_time(text: str, week: Week) -> datetime | None:
    """Parse a day, a part of the day and a time in it: `tomorrow morning at 9`, `friday night 8:30`."""
    match = _PART_WITH_TIME.fullmatch(text)
    day = find_day(match["day"].removeprefix("on "), week) if match else None
    today = week.today
    clock = find_form(TIMES, match["time"], today) or find_form(TIMES, f"at {match['time']}", today) if match else None
    if not match or not day or not clock:
        return None
    moment, start = clock(), DAY_PARTS[match["part"]]
    has_half = "m" in match["time"]
    if not has_half and start.hour >= 12 and 1 <= moment.hour < 12:
        moment = moment.replace(hour=moment.hour + 12)
    if not _PART_HOURS[match["part"]][0] <= moment.hour < _PART_HOURS[match["part"]][1]:
        raise ValueError(f"{moment:%H:%M} is not in the {match['part']}")
    return datetime.combine(day(), moment)


def _split_day_and_time(words: list[str]) -> Iterator[tuple[str, str]]:
    """Yield every way to read the phrase as a day, a time, or one after the other."""
    for cut in range(len(words), -1, -1):
        left, right = " ".join(words[:cut]), " ".join(words[cut:])
        yield left, right
        if left and right:
            yield right, left


def _next_at(clock: time, local_now: datetime) -> datetime:
    """Return that time today, or tomorrow if it has passed."""
    today = datetime.combine(local_now.date(), clock)
    # Two times of one zone are compared by their clocks in Python, so compare the instants in UTC.
    has_passed = today.replace(tzinfo=local_now.tzinfo).astimezone(UTC) < local_now.astimezone(UTC)
    return today + timedelta(days=1) if has_passed else today


def _settle(when: When, zone: ZoneInfo) -> When:
    """Return `when` in the zone, and check that it is inside the calendar."""
    if isinstance(when, datetime):
        # The way through UTC turns a skipped local time into the one of RFC 5545 section 3.3.5.
        when = (when if when.tzinfo else when.replace(tzinfo=zone)).astimezone(UTC).astimezone(zone)
    _check_range(when.date() if isinstance(when, datetime) else when)
    return when


def _check_range(day: date) -> None:
    if not EARLIEST <= day <= LATEST:
        raise ValueError(f"it is not between {EARLIEST} and {LATEST}")


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """Return the start of the day and of the next day in UTC, which are usually 23, 24 or 25 hours apart.

    A day whose midnight daylight saving skips starts at its first instant.
    """
    home = zone_of(zone)
    try:
        _check_range(day)
    except ValueError as error:
        raise Invalid(f"{day} has no bounds: {error}") from None
    midnights = (datetime.combine(each, time(), home) for each in (day, day + timedelta(days=1)))
    start, end = (midnight.astimezone(UTC) for midnight in midnights)
    return start, end


def zone_of(name: str) -> ZoneInfo:
    """Return the IANA time zone of this name. Raise Invalid with similar names if there is none."""
    from zoneinfo import ZoneInfo

    if not _is_zone(name):  # ZoneInfo would open a file of this name
        similar = " or ".join(_find_similar_zones(name[:MAX_ZONE_CHARS]))
        hint = f"did you mean {similar}?" if similar else "use an IANA name such as Europe/Berlin or UTC"
        raise Invalid(f"unknown time zone {name[:MAX_ZONE_CHARS]!r}", hint=hint)
    return ZoneInfo(name)


def _is_zone(name: str) -> bool:
    return name in _packaged_zones() or name in _installed_zones()


@cache
def _packaged_zones() -> frozenset[str]:
    """Return the zones of the package tzdata, whose list is read in a fraction of a millisecond."""
    import tzdata

    names = Path(tzdata.__file__).with_name("zones").read_text(encoding="utf-8").split()
    return frozenset(name for name in names if not name.startswith(EXCLUDED_ZONE_PREFIXES))


@cache
def _installed_zones() -> frozenset[str]:
    """Return the zones of this machine, which may be newer. Finding them reads every file, about 0.1 s."""
    from zoneinfo import available_timezones

    return frozenset(name for name in available_timezones() if not name.startswith(EXCLUDED_ZONE_PREFIXES))


def _find_similar_zones(name: str) -> list[str]:
    from difflib import get_close_matches

    names = sorted(_packaged_zones() | _installed_zones())
    by_word = {zone.lower(): zone for zone in names} | {zone.rsplit("/")[-1].lower(): zone for zone in names}
    similar = get_close_matches(name.lower().replace(" ", "_"), by_word, n=3, cutoff=0.7)
    return list(dict.fromkeys(by_word[word] for word in similar))
