"""Cells of CSV: words of a status, priorities, dates and tags, and cells that a spreadsheet would run."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from todo_cli.errors import Invalid
from todo_cli.formats.moments import format_day, format_instant
from todo_cli.formats.records import ReadOptions
from todo_cli.formats.rules import normalize_rule

OWN_COLUMNS = (
    "id", "title", "status", "priority", "due", "scheduled", "defer", "project", "tags", "parent", "after", "every",
    "started_at", "created_at", "completed_at", "deleted_at", "note",
    "assigned_to",
)  # fmt: skip  # a list of words
"""The columns of a file that this program wrote, in their order. Those behind `note` came with later releases."""
FIRST_COLUMNS = OWN_COLUMNS[: OWN_COLUMNS.index("note") + 1]

_STATUSES = {
    **dict.fromkeys(("open", "todo", "to do", "pending", "no", "false", "0"), "open"),
    **dict.fromkeys(("done", "completed", "complete", "closed", "x", "yes", "true", "1"), "done"),
    **dict.fromkeys(("deleted", "trash"), "deleted"),
}
_PRIORITIES = {
    **dict.fromkeys(("1", "p1", "h", "high", "a"), 1),
    **dict.fromkeys(("2", "p2", "m", "medium", "b"), 2),
    **dict.fromkeys(("3", "p3", "l", "low", "c"), 3),
}
FROM_DONE = "after done: "
"""Before a rule in the column `every`: it counts from completion."""

DATE_PARTS = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "M": "%m", "D": "%d"}
_TIMES = (" %H:%M", " %H:%M:%S", "T%H:%M:%S", "")

RUN_BY_SPREADSHEETS = "=+-@\t\r\n＝＋－＠"
"""A spreadsheet runs a cell that begins with one of these; the last four are their full-width forms."""
_PROTECTED = re.compile(f"'+[{re.escape(RUN_BY_SPREADSHEETS)}]")
_TO_PROTECT = re.compile(f"'*[{re.escape(RUN_BY_SPREADSHEETS)}]")


def protect_cell(text: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run, so that it is text."""
    return f"'{text}" if _TO_PROTECT.match(text) else text


def strip_apostrophe(text: str) -> str:
    """Undo `protect_cell`."""
    return text[1:] if _PROTECTED.match(text) else text


def read_cell(kind: str, cell: str, options: ReadOptions) -> Any:
    """Return the value of a cell that is a `status`, a `priority`, a `moment` or a rule (`every`), None for none."""
    match kind:
        case "status":
            return _STATUSES.get(cell.lower())
        case "priority":
            return _PRIORITIES.get(cell.lower())
        case "every":
            rule = normalize_rule(cell.removeprefix(FROM_DONE))
            return (rule, cell.startswith(FROM_DONE)) if rule else None
        case _:
            return _read_moment(cell, options)


def _read_moment(cell: str, options: ReadOptions) -> str | None:
    """Return the day or the instant of a cell, which is in the user's zone unless it names one."""
    try:
        moment = _parse_date(cell, options.dates) if options.dates else _parse_iso(cell)
        if not isinstance(moment, datetime):
            return format_day(moment)
        return format_instant(moment if moment.tzinfo else moment.replace(tzinfo=options.zone))
    except (ValueError, OverflowError):
        return None


def _parse_iso(cell: str) -> date | datetime:
    return date.fromisoformat(cell) if len(cell) <= len("2026-12-04") else datetime.fromisoformat(cell)


def _parse_date(cell: str, form: str) -> date | datetime:
    """Read a date in a form such as DD.MM.YYYY, with a time behind it or without; raises ValueError."""
    pattern = make_pattern(form)
    for time in _TIMES:
        try:
            moment = datetime.strptime(cell, pattern + time)
        except ValueError:
            continue
        return moment if time else moment.date()
    return _parse_iso(cell)


def make_pattern(form: str) -> str:
    """Return the pattern of a form of dates; raises Invalid unless it has a year, a month and a day."""
    pattern = re.sub("YYYY|YY|MM|DD|M|D", lambda match: DATE_PARTS[match[0]], form.replace("%", "%%"))
    if not all(part in pattern.lower() for part in ("%y", "%m", "%d")):
        raise Invalid(f"{form!r} is not a form of dates", hint="write it as DD.MM.YYYY or MM/DD/YYYY")
    return pattern


def read_tags(cell: str) -> tuple[str, ...]:
    """Return the tags of a cell, which stand between commas or semicolons, else between blanks."""
    separator = r"[,;]" if re.search("[,;]", cell) else r"\s+"
    words = (word.strip().removeprefix("@").removeprefix("#") for word in re.split(separator, cell))
    return tuple(dict.fromkeys(re.sub(r"\s+", "-", word) for word in words if word))


def local_time(zone: ZoneInfo, text: str | None) -> str:
    """Return a moment for a person's spreadsheet: a day, or an instant in the zone with its offset."""
    if not text or "T" not in text:
        return text or ""
    return datetime.fromisoformat(text).astimezone(zone).isoformat()
