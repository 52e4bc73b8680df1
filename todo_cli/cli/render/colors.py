"""The roles of text on a screen, and their colours: the sixteen of the terminal, right on any background."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

Role = Literal[
    "", "grey", "heading", "overdue", "today", "p1", "p2", "p3", "project", "tag", "started", "blocked", "claimed",
    "finished", "added", "removed",
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
}
"""Role -> the parameters of its escape sequence."""


class Piece(NamedTuple):
    """A part of a line in one role."""

    text: str
    role: Role = ""


Line = list[Piece]
Paint = Callable[[Iterable[Piece]], str]


def choose_paint(*, colored: bool) -> Paint:
    """Return the function that writes pieces as one line, with or without colours, and without blanks at its end."""
    return _paint_colored if colored else _paint_plain


def _paint_plain(pieces: Iterable[Piece]) -> str:
    return "".join(piece.text for piece in pieces).rstrip()


def _paint_colored(pieces: Iterable[Piece]) -> str:
    kept = list(pieces)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = kept[-1]._replace(text=kept[-1].text.rstrip())
    return "".join(_paint_piece(piece) for piece in kept)


def _paint_piece(piece: Piece) -> str:
    codes = SGR_CODES.get(piece.role)
    return f"\x1b[{codes}m{piece.text}\x1b[0m" if codes and piece.text.strip() else piece.text
