"""The roles of text on a screen, and their colours in each theme."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from todo_cli.contract.display import Theme

Role = Literal[
    "", "grey", "heading", "overdue", "today", "p1", "p2", "p3", "project", "tag", "started", "blocked", "claimed",
    "finished", "added", "removed", "reverse", "heat1", "heat2", "heat3", "heat4",
]  # fmt: skip  # a table

SGR_CODES: dict[str, str] = {
    "grey": "2",
    "heading": "1",
    "overdue": "1;31",
    "today": "33",
    "p1": "1;31",
    "p2": "33",
    "p3": "34",
    "project": "35",
    "tag": "32",
    "started": "32",
    "blocked": "31",
    "claimed": "36",
    "finished": "2;9",
    "added": "32",
    "removed": "31",
    "reverse": "7",
    "heat1": "32",
    "heat2": "32",
    "heat3": "32",
    "heat4": "32",
}
"""Role -> the parameters of its escape sequence: the sixteen colours of the terminal, right on any background."""

DARK_CODES = {
    "grey": "38;5;246",
    "heading": "1",
    "overdue": "1;38;5;203",
    "today": "38;5;221",
    "p1": "1;38;5;203",
    "p2": "38;5;215",
    "p3": "38;5;75",
    "project": "38;5;176",
    "tag": "38;5;114",
    "started": "38;5;78",
    "blocked": "38;5;174",
    "claimed": "38;5;180",
    "finished": "9;38;5;246",
    "added": "38;5;78",
    "removed": "38;5;174",
    "reverse": "7",
    "heat1": "38;5;22",
    "heat2": "38;5;28",
    "heat3": "38;5;34",
    "heat4": "38;5;82",
}
LIGHT_CODES = {
    "grey": "38;5;241",
    "heading": "1",
    "overdue": "1;38;5;160",
    "today": "38;5;94",
    "p1": "1;38;5;160",
    "p2": "38;5;130",
    "p3": "38;5;26",
    "project": "38;5;90",
    "tag": "38;5;28",
    "started": "38;5;28",
    "blocked": "38;5;124",
    "claimed": "38;5;94",
    "finished": "9;38;5;241",
    "added": "38;5;28",
    "removed": "38;5;124",
    "reverse": "7",
    "heat1": "38;5;151",
    "heat2": "38;5;71",
    "heat3": "38;5;28",
    "heat4": "38;5;22",
}
"""Role -> 256 colours, readable on a dark or on a light background."""
THEME_CODES = {"dark": DARK_CODES, "light": LIGHT_CODES}


class Piece(NamedTuple):
    """A part of a line in one role."""

    text: str
    role: Role = ""


Line = list[Piece]
Paint = Callable[[Iterable[Piece]], str]


def choose_paint(*, colored: bool, theme: Theme | None = None, linked: bool = False) -> Paint:
    """Return the function that writes pieces as one line, without blanks at its end.

    colored: with colours, those of the theme; linked: with hyperlinks around the addresses of web pages.
    """
    paint = partial(_paint_colored, THEME_CODES.get(theme or "auto", SGR_CODES)) if colored else _paint_plain
    if not linked:
        return paint
    from todo_cli.cli.render.hyperlinks import link_addresses

    return lambda pieces: paint(piece._replace(text=link_addresses(piece.text)) for piece in pieces)


def _paint_plain(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces).rstrip()


def _paint_colored(codes: dict[str, str], pieces: Iterable[Piece]) -> str:
    kept = list(pieces)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return "".join(_paint_piece(piece, codes.get(piece.role)) for piece in kept)


def _paint_piece(piece: Piece, codes: str | None) -> str:
    return f"\x1b[{codes}m{piece.text}\x1b[0m" if codes and piece.text.strip() else piece.text
