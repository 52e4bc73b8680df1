"""The options by which a list is shown: shared by list, next, today, upcoming and overdue."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import typer

from todo_cli.errors import Invalid

PIPE_COLUMNS = ("number", "status", "priority", "due", "project", "tags", "title")
"""The columns of a list in a pipe, in their order."""
LIST_COLUMNS = (
    *PIPE_COLUMNS, "mark", "urgency", "added", "changed", "done", "started", "defer", "scheduled", "parent",
    "subtasks", "after", "repeat", "worked", "claimed", "assigned", "rev", "id",
)  # fmt: skip  # a table
"""The columns that --columns knows."""


def _complete_columns(incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in LIST_COLUMNS if name.startswith(last)]


ColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns",
        help=f"Columns and their order: {', '.join(LIST_COLUMNS)}.",
        metavar="NAMES",
        autocompletion=_complete_columns,
    ),
]
GroupOption = Annotated[
    Literal["day", "project", "none"] | None,
    typer.Option("--group", help="Headings. Default: day, or none if the sort is not by due date."),
]
FlatOption = Annotated[bool, typer.Option("--flat", help="List subtasks where the sort puts them, not as a tree.")]
WrapOption = Annotated[bool, typer.Option("--wrap", help="Wrap long titles instead of cutting them.")]
AbsoluteOption = Annotated[bool, typer.Option("--absolute", help="Print dates as 2026-12-24 09:00 on a terminal.")]
FormatOption = Annotated[
    Literal["table", "tsv"] | None,
    typer.Option("--format", help="Print the screen of a terminal (table), or the lines of a pipe (tsv)."),
]
HeadOption = Annotated[bool, typer.Option("--head", help="Begin the lines of a pipe with the names of the columns.")]

AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", help="As it was at this time: friday, 2h, '2026-11-27 18:00'.", metavar="WHEN"),
]


class ListScreen(NamedTuple):
    """The choices of a command line about how its list is shown."""

    columns: tuple[str, ...] = ()
    group: Literal["day", "project", "none"] | None = None
    flat: bool = False
    wrap: bool = False
    absolute: bool = False
    format: Literal["table", "tsv"] | None = None
    head: bool = False


def parse_columns(text: str | None) -> tuple[str, ...]:
    """Return the names in `number,title,due`; raises Invalid for an unknown one, and for one that is named twice."""
    if text is None:
        return ()
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    for name in names:
        if name not in LIST_COLUMNS:
            from todo_cli.parsing.filter_vocabulary import suggest

            similar = suggest(name, list(LIST_COLUMNS))
            raise Invalid(f"there is no column {name[:60]!r}", hint=similar or f"columns: {', '.join(LIST_COLUMNS)}")
    if not names or len(set(names)) < len(names):
        raise Invalid("--columns takes each name once", hint="for example: --columns number,title,due")
    return names
