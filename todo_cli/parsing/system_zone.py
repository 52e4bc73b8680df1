"""Find the time zone of this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta

LOCALTIME_PATH, TIMEZONE_PATH = "/etc/localtime", "/etc/timezone"
# The only zone names that contain digits but no slash. Any other such TZ is a POSIX rule like CET-1CEST.
ZONES_WITH_DIGITS = {"EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT"}


def system_zone() -> str:
    """Return the IANA name of this machine's zone, from TZ, /etc/localtime or /etc/timezone; UTC if it is unknown.

    TZ wins if it is set, even to a POSIX rule such as CET-1CEST, which has no name and therefore gives UTC.
    """
    if (setting := os.environ.get("TZ")) is not None:
        return _extract_zone_name(setting.removeprefix(":")) or "UTC"
    return next(filter(None, map(_extract_zone_name, _read_zone_files())), "UTC")


def have_same_times(first: str, second: str, now: datetime) -> bool:
    """Return whether the clocks of two zones agree over the year from now on, as those of Berlin and Paris do."""
    from todo_cli.parsing.dates import zone_of

    instants = [now + timedelta(days=30 * month) for month in range(13)]
    offsets = [[instant.astimezone(zone_of(zone)).utcoffset() for instant in instants] for zone in (first, second)]
    return offsets[0] == offsets[1]


def _read_zone_files() -> Iterator[str]:
    """Yield the text of each place that names the zone, and an empty text for a missing one."""
    readers = ((os.readlink, LOCALTIME_PATH), (os.path.realpath, LOCALTIME_PATH), (_read_first_line, TIMEZONE_PATH))
    for read, path in readers:
        try:
            yield read(path)
        except (OSError, UnicodeError):
            yield ""


def _read_first_line(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.readline(256).strip()


def _extract_zone_name(text: str) -> str:
    """Return `Europe/Berlin` from a name or from a path into the zone database; empty if it is neither."""
    _, tree, inside = text.rpartition("zoneinfo/")
    name = (inside if tree else text).removeprefix("posix/").removeprefix("right/")
    is_rule = "/" not in name and any(char.isdigit() for char in name) and name not in ZONES_WITH_DIGITS
    is_plain = name.replace("/", "").replace("_", "").replace("-", "").replace("+", "").isalnum()
    return name if is_plain and name[0].isalpha() and not is_rule else ""
