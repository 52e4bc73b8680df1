"""An answer on a terminal while it comes: nothing that stands is written twice, only the last block changes.

What is whole is formatted and left alone. The block that is still coming is drawn as far as it is known; then only
the lines that have become others are written again, in one write. Where the terminal has been resized in between,
nothing is taken back: what stands stays, and the rest follows it.
"""

from __future__ import annotations

import os
import re
import sys
import time
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from todo_cli.cli.render.escape import escape_chunk

if TYPE_CHECKING:
    from todo_cli.cli.render.markdown import Block

LONG_BLOCK_CHARS = 2_000
"""Characters of an unfinished block, from which on it is drawn a few times a second only."""
REDRAW_SECONDS = 0.15


class AnswerWriter(Protocol):
    """Where an answer is shown while it comes."""

    def words(self, text: str) -> None:
        """More of it, as the model gave it."""
        ...

    def end(self) -> None:
        """That was all for now: the cursor stands at the beginning of a line."""
        ...


def open_writer(*, colored: bool) -> AnswerWriter:
    """For the terminal that stdout is."""
    return PlainWriter() if os.environ.get("TERM", "dumb") == "dumb" else LiveWriter(colored=colored)


def _terminal_size() -> tuple[int, int]:
    try:
        columns, rows = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        columns, rows = 80, 24
    return columns or 80, rows or 24


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


class _LineEnds:
    """A line end that comes in two pieces is one."""

    def __init__(self) -> None:
        self._kept = ""

    def piece(self, text: str) -> str:
        """The text, made harmless."""
        text = self._kept + text
        self._kept = "\r" if text.endswith("\r") else ""
        return escape_chunk(text.removesuffix("\r"))


class PlainWriter:
    """Without moving the cursor: plain words, broken where a line is full."""

    def __init__(self, *, size: Callable[[], tuple[int, int]] = _terminal_size) -> None:
        self._lines, self._column, self._gap, self._word = _LineEnds(), 0, "", ""
        self._look = size

    def words(self, text: str) -> None:
        """More of it."""
        self._take(self._lines.piece(text))

    def end(self) -> None:
        """The last word, and a line end."""
        self._flush()
        if self._column:
            _write("\n")
        self._lines, self._column, self._gap = _LineEnds(), 0, ""

    def _take(self, text: str) -> None:
        for part in re.split(r"(\s)", text):
            if not part.isspace():
                self._word += part
                continue
            self._flush()
            if part == "\n":
                self._gap, self._column = "", 0
                _write("\n")
            else:
                self._gap += part

    def _flush(self) -> None:
        if not self._word:
            return
        wide = _count_cells(self._gap) + _count_cells(self._word)
        if self._column and self._column + wide >= self._look()[0]:
            _write("\n" + self._word)
            self._column = _count_cells(self._word)
        else:
            _write(self._gap + self._word)
            self._column += wide
        self._gap = self._word = ""


def _count_cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


class LiveWriter:
    """With formatting. The lines in `_drawn` are those that may still change; the cursor is behind the last of them."""

    def __init__(self, *, colored: bool, size: Callable[[], tuple[int, int]] = _terminal_size) -> None:
        from todo_cli.cli.render.markdown import BlockSplitter, MarkdownRenderer

        self._lines, self._blocks, self._renderer = _LineEnds(), BlockSplitter(), MarkdownRenderer(colored=colored)
        self._drawn: list[str] = []
        self._whole = True  # all that has come of the last block is drawn
        self._look, self._size = size, size()
        self._raw = False
        self._looked = 0.0

    def words(self, text: str) -> None:
        """More of it."""
        text = self._lines.piece(text)
        if self._resized():
            self._leave()
        if self._raw:
            text = self._finish_word(text)
        whole = self._blocks.feed(text)
        if not whole and self._early():
            return
        tail = self._blocks.open
        self._draw([line for block in whole for line in self._block(block)], self._block(tail) if tail else [])

    def end(self) -> None:
        """What is left, whole."""
        if self._resized():
            self._leave()
        if self._raw:
            _write("\n")
            self._raw = False
        self._draw([line for block in self._blocks.end() for line in self._block(block)], [])
        from todo_cli.cli.render.markdown import BlockSplitter

        self._blocks, self._lines = BlockSplitter(), _LineEnds()

    def _block(self, block: Block) -> list[str]:
        return [""] * block.gap + self._renderer.lines(block, self._size[0] - 1)

    def _early(self) -> bool:
        """A long block is not drawn for every word."""
        now = time.monotonic()
        if self._blocks.size > LONG_BLOCK_CHARS and now - self._looked < REDRAW_SECONDS:
            self._whole = False
            return True
        self._looked = now
        return False

    def _resized(self) -> bool:
        was, self._size = self._size, self._look()
        return bool(self._drawn) and (was[0] != self._size[0] or self._size[1] <= len(self._drawn))

    def _leave(self) -> None:
        """What is drawn stays as it is; where that is not all of its block, the whole comes again below."""
        self._raw = self._whole and self._blocks.forget()
        if not self._raw:
            _write("\n")
        self._drawn = []

    def _finish_word(self, text: str) -> str:
        """The rest of the word that the cursor is behind; gives what follows it."""
        found = re.match(r"\S*", text)
        word = found[0] if found else ""
        self._raw = len(word) == len(text)
        _write(word if self._raw else word + "\n")
        return text[len(word) :].lstrip(" \t").removeprefix("\n") if not self._raw else ""

    def _draw(self, whole: list[str], tail: list[str]) -> None:
        room = max(self._size[1] - 2, 1)
        old, new = self._drawn, whole + tail[-room:]
        self._drawn, self._whole = tail[-room:], len(tail) <= room
        same = next(
            (place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
        )
        out = _redraw(old, new, same)
        if whole and not tail:
            out += "\n"
        if out:
            _write(out)


def _redraw(old: list[str], new: list[str], same: int) -> str:
    """What turns the old lines into the new ones, of which the first `same` are the same."""
    if same == len(old):
        return "".join(("\n" if place else "") + new[place] for place in range(same, len(new)))
    last = len(old) - 1
    if same == last and same < len(new) and new[same].startswith(old[same]):
        return new[same][len(old[same]) :] + "".join("\n" + line for line in new[same + 1 :])
    out = "\r" + (f"\x1b[{last - same}A" if last > same else "")
    out += "\n".join(line + "\x1b[K" for line in new[same:])
    return out + ("\x1b[J" if len(new) < len(old) else "")
