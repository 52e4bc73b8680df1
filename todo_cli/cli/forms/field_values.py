"""The values of a task's fields as a person writes them: printed, and read as the fields of a Request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from todo_cli.cli.forms.editable_text import escape_editable, escape_editable_lines, read_editable
from todo_cli.cli.options import complete_recurrence, parse_blockers, parse_number, parse_priority
from todo_cli.cli.render.text import parse_due
from todo_cli.contract.clock import Clock
from todo_cli.contract.limits import MAX_NAME_CHARS, MAX_NOTE_CHARS, MAX_TITLE_CHARS
from todo_cli.contract.tasks import Repeat, Task
from todo_cli.errors import Invalid
from todo_cli.parsing.dates import parse_date, zone_of
from todo_cli.parsing.recurrence import parse_recurrence
from todo_cli.parsing.recurrence_format import describe_recurrence
from todo_cli.parsing.reminders import format_lead, parse_lead

Values = dict[str, str]
"""Field -> its value as a person writes it; an empty text for no value."""

HEADER_FIELDS = (
    "title", "due", "project", "tags", "priority", "every", "defer", "scheduled", "remind", "parent", "after",
    "discovered-from", "assign",
)  # fmt: skip  # a list of words
NOTE = "note"
FIELDS = (*HEADER_FIELDS, NOTE)
WORD_FIELDS = ("tags", "after")
"""Their words are added and removed one by one, so that two people can change the same list."""
NONE = "none"


class Reading(NamedTuple):
    """What values are read by: the user's clock, and the user, whose reminders are shown."""

    clock: Clock
    user: str

    @property
    def zone(self) -> tzinfo:
        """The user's time zone."""
        return zone_of(self.clock.zone)


def format_values(task: Task, reading: Reading) -> Values:
    """Return the values of a task. Reminders of other users, and those that have passed, are left out."""
    zone = reading.zone
    return {
        "title": escape_editable(task.title),
        "due": _format_date(task.due, zone),
        "project": escape_editable(_double_sign(task.project or "", "#")),
        "tags": " ".join(escape_editable(_double_sign(tag, "@")) for tag in task.tags),
        "priority": str(task.priority or ""),
        "every": _format_repeat(task.repeat),
        "defer": _format_date(task.defer, zone),
        "scheduled": _format_date(task.scheduled, zone),
        "remind": ", ".join(_format_reminders(task, reading)),
        "parent": str(task.parent or ""),
        "after": " ".join(map(str, task.after)),
        "discovered-from": str(task.discovered_from or ""),
        "assign": escape_editable(task.assigned_to or ""),
        NOTE: trim_note(escape_editable_lines(task.note or "")),
    }


def trim_note(note: str) -> str:
    """Return a note without blank lines at its ends."""
    return re.sub(r"\A(?:[ \t]*\n)+|(?:\n[ \t]*)+\Z", "", note) if note.strip(" \t\n") else ""


def _double_sign(name: str, sign: str) -> str:
    """Return a name that begins with the sign with another one, since one sign is taken as a part of the notation."""
    return sign + name if name.startswith(sign) else name


def _format_date(text: str | None, zone: tzinfo) -> str:
    """Return `2026-12-01`, or an instant as the user's clock shows it: `2026-12-01 09:00`."""
    if text is None:
        return ""
    when = parse_due(text)
    if not isinstance(when, datetime):
        return when.isoformat()
    local = when.astimezone(zone).replace(microsecond=0)
    if local.fold:  # the clock shows this time twice, and means the first
        return local.isoformat()
    return local.replace(tzinfo=None).isoformat(" ", "seconds" if local.second else "minutes")


def _format_repeat(repeat: Repeat | None) -> str:
    return describe_recurrence(repeat.rule, repeat.from_done, None, repeat.zone) if repeat else ""


def _format_reminders(task: Task, reading: Reading) -> list[str]:
    own = [each for each in task.remind or () if each.user == reading.user]
    coming = [each for each in own if each.at is None or each.at > reading.clock.now]
    return [
        _format_date(each.at.isoformat(), reading.zone) if each.at else format_lead(each.days, each.seconds)
        for each in coming
    ]


def is_same(name: str, first: str, second: str) -> bool:
    """Return whether two values mean the same; blanks at the ends of lines, which editors remove, do not count."""
    return _normalize(name, first) == _normalize(name, second)


def _normalize(name: str, value: str) -> str:
    if name == NOTE:
        return trim_note("\n".join(line.rstrip(" \t") for line in value.split("\n")))
    return value if name in ("title", "project") else " ".join(value.split())


def list_words(name: str, value: str) -> tuple[str, ...]:
    """Return the words of a list: tags without their sign, blockers as numbers. Raise Invalid."""
    if name == "after":
        return tuple(map(str, parse_blockers([value]))) if value and value.lower() != NONE else ()
    words = (read_editable(word).removeprefix("@") for word in re.split(r"[\s,]+", value) if word)
    return tuple(dict.fromkeys(filter(None, words)))


def join_words(name: str, words: tuple[str, ...]) -> str:
    """Return the value with these words. Inverse of `list_words`."""
    return " ".join(words if name == "after" else (escape_editable(_double_sign(word, "@")) for word in words))


def read_value(name: str, value: str, reading: Reading) -> dict[str, Any]:
    """Return the field of a Request that a value sets, null to clear it. Raise Invalid."""
    if name in WORD_FIELDS:
        words = list_words(name, value)
        return {"tags": tuple(f"@{word}" for word in words)} if name == "tags" else {"after": tuple(map(int, words))}
    if name == "remind":
        return {"remind": _read_reminders(value, reading.clock)}
    if not value or (value.lower() == NONE and name not in ("title", NOTE)):
        if name == "title":
            raise Invalid("the title is blank", hint="write a title")
        return {field_of(name): None}
    return {field_of(name): _READERS[name](value, reading.clock)}


def field_of(name: str) -> str:
    """Return the field of a Request whose value has this name in a form."""
    return "assigned_to" if name == "assign" else name.replace("-", "_")


def read_changed_value(name: str, base: str, value: str, reading: Reading) -> dict[str, Any]:
    """Return the fields of an edit that turn one value into the other: of a list the words to add and to remove."""
    if name not in WORD_FIELDS:
        return read_value(name, value, reading)
    before, after = list_words(name, base), list_words(name, value)
    added, removed = [word for word in after if word not in before], [word for word in before if word not in after]
    if name == "after":
        pairs: Mapping[str, list[Any]] = {"add_after": [*map(int, added)], "remove_after": [*map(int, removed)]}
    else:
        pairs = {"add_tags": [f"@{word}" for word in added], "remove_tags": [f"@{word}" for word in removed]}
    return {field: tuple(words) for field, words in pairs.items() if words}


def _read_text(limit: int) -> Callable[[str, Clock], str]:
    def read(value: str, _: Clock) -> str:
        text = read_editable(value)
        if len(text) > limit:
            raise Invalid(f"longer than {limit:,} characters")
        return text

    return read


def _read_date(value: str, clock: Clock) -> str:
    """Return the words of a date as they are: the server reads them by its own clock."""
    parse_date(value, zone=clock.zone, now=clock.now, week_start=clock.week_start)
    return value


def _read_recurrence(value: str, clock: Clock) -> str:
    words = complete_recurrence(value) or value
    parse_recurrence(words, zone=clock.zone, now=clock.now, week_start=clock.week_start)
    return words


def _read_reminders(value: str, clock: Clock) -> tuple[str, ...]:
    if value.lower() == NONE:
        return ()
    words = tuple(part.strip() for part in value.split(",") if part.strip())
    for word in words:
        if parse_lead(word) is None:
            _read_date(word, clock)
    return words


_READERS: dict[str, Callable[[str, Clock], Any]] = {
    "title": _read_text(MAX_TITLE_CHARS),
    "project": _read_text(MAX_NAME_CHARS),
    "assign": _read_text(MAX_NAME_CHARS),
    NOTE: _read_text(MAX_NOTE_CHARS),
    "priority": lambda value, _: parse_priority(value),
    "due": _read_date,
    "defer": _read_date,
    "scheduled": _read_date,
    "every": _read_recurrence,
    "parent": lambda value, _: parse_number(value),
    "discovered-from": lambda value, _: parse_number(value),
}
