"""Write the generated tables into the pages of docs/: `python -m tests.docs.generate`.

A table is between `<!-- generated: NAME -->` and `<!-- /generated -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.support.doc_pages import PAGES
from todo_cli.cli.group import load_command
from todo_cli.command_table import COMMANDS
from todo_cli.contract import limits
from todo_cli.contract.base import method_and_path
from todo_cli.contract.registry import REQUESTS
from todo_cli.db.schema import metadata
from todo_cli.errors import Invalid
from todo_cli.parsing.dates import parse_date
from todo_cli.parsing.quick_add import parse_quick_add
from todo_cli.parsing.recurrence import first_occurrence, next_occurrence, parse_recurrence
from todo_cli.settings.keys import SETTING_KEYS
from todo_cli.tools import TOOLS

SECTIONS = {"": "", "profile": "[profiles.NAME]", "server": "[server]", "model": "[model]"}
NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)
"""The moment of every example: a Friday evening."""

DATE_FORMS = (
    "today", "tomorrow", "day after tomorrow", "yesterday", "friday", "this friday", "next friday", "last friday",
    "weekend", "next weekend", "next week", "next month", "next quarter", "next year", "in 3 days", "2 weeks",
    "in a month", "1w 2d", "3 days ago", "24 dec", "december 24", "24 dec 2027", "24.12.", "12/24", "5/6", "the 15th",
    "january", "2026-12-24", "2026/12/24", "2026-w50", "2026-w50-3", "sow", "eow", "som", "eom", "soq", "eoq", "soy",
    "eoy", "sonw", "eopm", "end of next month", "sod", "eod", "9am", "9:30", "17:00", "at 9", "noon", "midnight",
    "tomorrow 9am", "9am tomorrow", "next friday at noon", "in 2 hours", "90 min", "3m", "2026-12-24T10:00",
    "2026-12-24T10:00Z", "2026-12-24T10:00+02:00", "now",
)  # fmt: skip  # one form a line would take a screen
RECURRENCE_FORMS = (
    "every day", "daily", "every 3 days", "every week", "every 2 weeks on mon", "every other week", "every weekday",
    "every weekend", "every mon,wed,fri", "every month", "every 15th", "every month on the 1st and 15th",
    "every month on the 31st", "every last day", "every 2nd tuesday", "every last friday", "every last weekday",
    "every quarter", "every year", "every jan 15", "every morning", "every evening", "every day at 9am",
    "every week until 2026-12-20", "every day for 2 times", "every week starting 2026-12-24", "every! 3 days",
    "3 days after done",
)  # fmt: skip  # one form a line would take a screen
QUICK_ADD_FORMS = (
    "Pay rent tomorrow 9am #home @bank p1 every month", "Call mom sunday @phone", "Friday dentist 3pm",
    "Water the plants every! 3 days", "Book the flight parent:1 after:2 defer:mon", "Prepare slides due:eom",
    'Paint #"Home and garden"', "Buy sun cream", "The friday call", "Is it tomorrow?", 'Watch "Friday the 13th"',
    "Fix \\#12",
)  # fmt: skip  # one form a line would take a screen

LIMITS = {
    "characters of a title": limits.MAX_TITLE_CHARS,
    "characters of a note": limits.MAX_NOTE_CHARS,
    "characters of a comment": limits.MAX_COMMENT_CHARS,
    "characters of a message to the model": limits.MAX_MESSAGE_CHARS,
    "characters of a project, a view, a token's name or a user's name": limits.MAX_NAME_CHARS,
    "characters of a tag": limits.MAX_TAG_CHARS,
    "tags of a task": limits.MAX_TAGS_PER_TASK,
    "tasks that a task waits for": limits.MAX_BLOCKERS_PER_TASK,
    "levels of subtasks": limits.MAX_SUBTASK_DEPTH,
    "characters of a filter": limits.MAX_FILTER_CHARS,
    "characters of a date": limits.MAX_DATE_CHARS,
    "characters of a recurrence": limits.MAX_RECURRENCE_CHARS,
    "tasks of a change": limits.MAX_TASKS_PER_CHANGE,
    "bytes of the tasks of a change": limits.MAX_CHANGE_BYTES,
    "lines of one `add -`": limits.MAX_STDIN_LINES,
    "tasks of a page of a list": limits.MAX_PAGE_ITEMS,
    "characters of an idempotency key": limits.MAX_KEY_CHARS,
    "seconds of the lease of a claim": limits.MAX_LEASE_SECONDS,
    "bytes of the body of an HTTP request": limits.MAX_BODY_BYTES,
}

_PLACE = re.compile(r"(<!-- generated: (?P<name>\w+) -->\n).*?(<!-- /generated -->)", re.DOTALL)


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def format_settings() -> str:
    """Every key of the configuration."""
    rows = [
        (
            SECTIONS[key.section],
            f"`{key.name}`",
            f"`{key.env}`" if key.env else "",
            "" if key.default is None else f"`{key.default}`",
            key.about,
        )
        for key in SETTING_KEYS
    ]
    return format_table(("section", "key", "environment", "default", "meaning"), rows)


def walk_commands(command: Any, *words: str) -> Iterator[tuple[str, Any]]:
    """Every command and subcommand with its name, as `chat list`."""
    subcommands = getattr(command, "commands", None) or {}
    if not subcommands or command.invoke_without_command:
        yield " ".join(words), command
    for name, inner in subcommands.items():
        yield from walk_commands(inner, *words, name)


def format_commands() -> str:
    """Every command with its arguments and options; `--help` explains each."""
    rows = []
    for name in COMMANDS:
        for words, command in walk_commands(load_command(name), name):
            options = [max(param.opts, key=len) for param in command.params if param.param_type_name == "option"]
            rows.append((f"`{words}`", " ".join(f"`{option}`" for option in options)))
    return format_table(("command", "options"), rows)


def format_limits() -> str:
    """The limits that users meet."""
    return format_table(("limit", "at most"), [(name, f"{value:,}") for name, value in LIMITS.items()])


def format_routes() -> str:
    """Every route of the HTTP interface that answers one Request."""
    rows = []
    for request in REQUESTS:
        if request.route:
            method, path = method_and_path(request)
            rows.append(
                (f"`{method} {path}`", f"`{request.scope}`" if request.scope else "none", f"`{request.__name__}`")
            )
    return format_table(("route", "scope", "Request"), rows)


def format_tools() -> str:
    """Every tool of a model or an MCP client."""
    rows = [(f"`{name}`", f"`{request.scope}`", f"`{request.__name__}`") for name, request in TOOLS.items()]
    return format_table(("tool", "scope", "Request"), rows)


def format_moment(moment: Any) -> str:
    """A date or an instant as `Fri 2026-12-04 09:00`."""
    return f"{moment:%a %Y-%m-%d %H:%M}" if isinstance(moment, datetime) else f"{moment:%a %Y-%m-%d}"


def format_dates() -> str:
    """The forms of a date, each with its meaning at `NOW`."""
    rows = []
    for words in DATE_FORMS:
        try:
            meaning = format_moment(parse_date(words, zone="UTC", now=NOW))
        except Invalid as error:
            meaning = f"refused: {error.detail.partition(': ')[2]}"
        rows.append((f"`{words}`", meaning))
    return format_table(("words", "meaning"), rows)


def format_recurrences() -> str:
    """The forms of a recurrence, each with its first three occurrences."""
    rows = []
    for words in RECURRENCE_FORMS:
        found = parse_recurrence(words, zone="UTC", now=NOW)
        days: list[Any] = [first_occurrence(found.rule, zone="UTC", now=NOW, start=found.start)]
        while not found.from_done and days[-1] and len(days) < 3:
            days.append(next_occurrence(found.rule, anchor=days[0], after=days[-1], zone="UTC", occurrence=len(days)))
        meaning = ", ".join(format_moment(day) for day in days if day)
        rows.append((f"`{words}`", f"{meaning}; then counted from each completion" if found.from_done else meaning))
    return format_table(("words", "first occurrences"), rows)


def format_quick_add() -> str:
    """Examples of quick add, each with the title and the fields that are read."""
    rows = []
    for text in QUICK_ADD_FORMS:
        title, *values = parse_quick_add(text)
        fields = zip(parse_quick_add(text)._fields[1:], values, strict=True)
        shown = [f"{name} `{format_value(value)}`" for name, value in fields if value]
        rows.append((f"`{text}`", f"`{title}`", ", ".join(shown)))
    return format_table(("text", "title", "fields"), rows)


def format_value(value: object) -> str:
    """A field of quick add: a text, a number, or several of them."""
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def format_database() -> str:
    """Every table with its primary key."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    rows = [(f"`{one.name}`", ", ".join(f"`{column.name}`" for column in one.primary_key)) for one in tables]
    return format_table(("table", "primary key"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "settings": format_settings,
    "commands": format_commands,
    "limits": format_limits,
    "routes": format_routes,
    "tools": format_tools,
    "dates": format_dates,
    "recurrences": format_recurrences,
    "quick_add": format_quick_add,
    "database": format_database,
}


def fill_tables(page: Path) -> str:
    """Return the text of a page with its generated tables as they must be."""
    return _PLACE.sub(lambda place: place[1] + TABLES[place["name"]]() + place[3], page.read_text())


def main() -> None:
    """Write the tables of every page."""
    for page in PAGES:
        page.write_text(fill_tables(page))


if __name__ == "__main__":
    main()
