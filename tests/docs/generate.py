"""Write the generated tables into the pages of docs/: `python -m tests.docs.generate`.

A table is between `<!-- generated: NAME -->` and `<!-- /generated -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from tests.docs.command_words import write_command_words
from tests.docs.help_pages import write_help_pages
from tests.parsing.date_tables import DATE_GROUPS, QUICK_ADD, RECURRENCE_GROUPS, REFUSED
from tests.support.doc_pages import PAGES
from todo_cli.cli.group import load_command
from todo_cli.command_table import COMMANDS
from todo_cli.contract import limits
from todo_cli.contract.base import method_and_path
from todo_cli.contract.registry import REQUESTS
from todo_cli.db.schema import metadata
from todo_cli.settings.keys import SETTING_KEYS
from todo_cli.tools.tool_list import TOOLS

SECTIONS = {
    "": "",
    "profile": "[profiles.NAME]",
    "server": "[server]",
    "worker": "[worker]",
    "store": "[store]",
    "model": "[model]",
}
LIMITS = {
    "characters of a title": limits.MAX_TITLE_CHARS,
    "characters of a note": limits.MAX_NOTE_CHARS,
    "characters of a comment": limits.MAX_COMMENT_CHARS,
    "characters of a message to the model": limits.MAX_MESSAGE_CHARS,
    "characters of a project, a view, a token's name or a user's name": limits.MAX_NAME_CHARS,
    "characters of a tag": limits.MAX_TAG_CHARS,
    "tags of a task": limits.MAX_TAGS_PER_TASK,
    "tasks that a task waits for": limits.MAX_BLOCKERS_PER_TASK,
    "attachments of a task": limits.MAX_ATTACHMENTS_PER_TASK,
    "bytes of an attachment": limits.MAX_ATTACHMENT_BYTES,
    "bytes of all attachments of a space": limits.MAX_SPACE_ATTACHMENT_BYTES,
    "characters of the name of an attachment": limits.MAX_ATTACHMENT_NAME_CHARS,
    "unfinished uploads of a user": limits.MAX_UNFINISHED_UPLOADS,
    "levels of subtasks": limits.MAX_SUBTASK_DEPTH,
    "characters of a filter": limits.MAX_FILTER_CHARS,
    "reminders of a task": limits.MAX_REMINDERS_PER_TASK,
    "channels of a user": limits.MAX_CHANNELS,
    "characters of a date": limits.MAX_DATE_CHARS,
    "characters of a recurrence": limits.MAX_RECURRENCE_CHARS,
    "tasks of a change": limits.MAX_TASKS_PER_CHANGE,
    "bytes of the tasks of a change": limits.MAX_CHANGE_BYTES,
    "bytes of the old and new texts that a change replaces, of all its tasks": limits.MAX_CHANGED_TEXT_BYTES,
    "tasks of a change that are answered with their notes": limits.MAX_FULL_TASKS,
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


def format_dates() -> str:
    """Every form of a date, with its meaning at `NOW`."""
    rows = [
        (group["name"] if place == 0 else "", f"`{words}`", meaning)
        for group in DATE_GROUPS
        for place, (words, meaning) in enumerate(group["forms"])
    ]
    return format_table(("kind", "words", "meaning"), rows)


def format_refused_dates() -> str:
    """Words that look like a date but are none, with the reason."""
    rows = [(f"`{words}`", reason) for forms in REFUSED.values() for words, reason in forms]
    return format_table(("words", "reason"), rows)


def format_recurrences() -> str:
    """Every form of a recurrence, with its first occurrences at `NOW`."""
    rows = [
        (group["name"] if place == 0 else "", f"`{words}`", ", ".join(days))
        for group in RECURRENCE_GROUPS
        for place, (words, *days) in enumerate(group["forms"])
    ]
    return format_table(("kind", "words", "first occurrences"), rows)


def format_quick_add(section: str) -> str:
    """The examples of one section of quick add, each with the title and the fields that are read."""
    rows = []
    for example in QUICK_ADD[section]:
        fields = [f"{name} `{value}`" for name, value in example.items() if name not in ("text", "title")]
        rows.append((f"`{example['text']}`", f"`{example['title']}`", ", ".join(fields)))
    return format_table(("text", "title", "fields"), rows)


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
    "refused_dates": format_refused_dates,
    "quick_add_read": partial(format_quick_add, "read_whole"),
    "quick_add_rules": partial(format_quick_add, "time_beside_recurrence"),
    "quick_add_kept": partial(format_quick_add, "kept_whole"),
    "database": format_database,
}


def fill_tables(page: Path) -> str:
    """Return the text of a page with its generated tables as they must be."""
    return _PLACE.sub(lambda place: place[1] + TABLES[place["name"]]() + place[3], page.read_text())


def main() -> None:
    """Write the tables of every page, the topics of help, and what a shell completes."""
    for page in PAGES:
        page.write_text(fill_tables(page))
    write_help_pages()
    write_command_words()


if __name__ == "__main__":
    main()
