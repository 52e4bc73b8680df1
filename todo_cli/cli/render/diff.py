"""Format the differences between the tasks of two moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from todo_cli.cli.render.cells import wrap_words
from todo_cli.cli.render.changes import FIELD_NAMES, format_field, format_value
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.contract.diff import DifferencePage, TaskDifference

SIGNS: dict[str, tuple[str, Role]] = {"added": ("+", "added"), "done": ("-", "removed"), "deleted": ("-", "removed")}
"""Kind -> sign and role; of any other kind it is `~`."""


def format_differences(page: DifferencePage, view: ListView, width: int) -> Iterator[Line]:
    """Yield the two moments, then a line or more for each task."""
    moments = f"{_format_moment(page.since, view)} {view.signs.arrow} {_format_moment(page.until, view)}"
    yield [Piece(moments, "heading")]
    for difference in page.differences:
        sign, role = SIGNS.get(difference.kind, ("~", ""))
        text = describe_difference(difference, view)
        for index, line in enumerate(wrap_words(text, max(1, width - 3))):
            yield [Piece(f" {sign if index == 0 else ' '} ", role), Piece(line)]


def describe_difference(difference: TaskDifference, view: ListView) -> str:
    """Return `#44 Rotate the backups: added, due 1 Dec`, or `#12 Pay rent: due 25 Nov → 30 Nov`."""
    parts: list[str] = [] if difference.kind == "changed" else [difference.kind]
    for name, (old, new) in difference.fields.items():
        if name == "status":
            parts += [str(new)] if difference.kind == "added" else []
            continue
        before = "" if difference.kind == "added" else f"{format_field(name, old, view)} {view.signs.arrow} "
        parts.append(f"{FIELD_NAMES.get(name, name)} {before}{format_field(name, new, view)}")
    return escape(f"#{difference.number} {difference.title}: {', '.join(parts)}")


def _format_moment(moment: datetime, view: ListView) -> str:
    return f"{moment.astimezone(view.zone):%a %Y-%m-%d %H:%M}"


def difference_cells(difference: TaskDifference) -> list[str]:
    """Return the cells for a pipe: kind, number, title, then `field=old->new` for each field."""
    fields = [f"{name}={format_value(old)}->{format_value(new)}" for name, (old, new) in difference.fields.items()]
    return [escape(cell) for cell in (difference.kind, str(difference.number), difference.title, *fields)]
