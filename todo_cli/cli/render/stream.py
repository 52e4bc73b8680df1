"""Print an answer on a terminal while it arrives, formatted, without printing any finished line twice.

Finished blocks are printed once. The block that is still arriving is drawn as far as it is known; when it changes, only
its changed lines are drawn again, in one write. After a resize nothing is erased: the text goes on below.
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
from todo_cli.cli.render.signs import UNICODE_SIGNS, Signs

if TYPE_CHECKING:
    from todo_cli.cli.render.markdown_blocks import Block

LONG_BLOCK_CHARS = 2_000
"""An unfinished block of this length is drawn only every REDRAW_SECONDS."""
REDRAW_SECONDS = 0.15


class AnswerWriter(Protocol):
    """Prints an answer while it arrives."""

    def add_text(self, text: str) -> None:
        """Print more text, as the model sent it."""
        ...

    def finish(self) -> None:
        """Print the rest and end the line."""
        ...


def open_writer(*, live: bool, colored: bool, signs: Signs = UNICODE_SIGNS) -> AnswerWriter:
    """Return the writer for a pipe or, with `live`, for the terminal behind stdout."""
    if not live:
        return PipeWriter()
    return PlainWriter() if os.environ.get("TERM", "dumb") == "dumb" else LiveWriter(colored=colored, signs=signs)


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
    """Escapes chunks of text. A CR at the end of one and an LF at the beginning of the next are one line end."""

    def __init__(self) -> None:
        self._carry = ""

    def escape(self, text: str) -> str:
        """Return the escaped chunk."""
        text = self._carry + text
        self._carry = "\r" if text.endswith("\r") else ""
        return escape_chunk(text.removesuffix("\r"))


class PipeWriter:
    """Prints the text as it arrives, unformatted, without blank lines around it."""

    def __init__(self) -> None:
        self._line_ends, self._gap, self._has_text = _LineEnds(), "", False

    def add_text(self, text: str) -> None:
        """Print the text, except the blanks at its end: they may be the last ones."""
        text = self._gap + self._line_ends.escape(text)
        if not self._has_text:
            text = text.lstrip("\n")
        words = text.rstrip()
        self._gap = text[len(words) :]
        if words:
            self._has_text = True
            _write(words)

    def finish(self) -> None:
        """End the line."""
        if self._has_text:
            _write("\n")
        self._line_ends, self._gap, self._has_text = _LineEnds(), "", False


class PlainWriter:
    """Prints plain words and breaks full lines, without moving the cursor."""

    def __init__(
        self, *, size: Callable[[], tuple[int, int]] = _terminal_size, write: Callable[[str], None] = _write
    ) -> None:
        self._line_ends, self._column, self._gap, self._word = _LineEnds(), 0, "", ""
        self._read_size, self._write = size, write

    def add_text(self, text: str) -> None:
        """Print all complete words."""
        for part in re.split(r"(\s)", self._line_ends.escape(text)):
            if not part.isspace():
                self._word += part
                continue
            self._print_word()
            if part == "\n":
                self._gap, self._column = "", 0
                self._write("\n")
            else:
                self._gap += part

    def finish(self) -> None:
        """Print the last word and end the line."""
        self._print_word()
        if self._column:
            self._write("\n")
        self._line_ends, self._column, self._gap = _LineEnds(), 0, ""

    def _print_word(self) -> None:
        if not self._word:
            return
        width = _count_cells(self._gap) + _count_cells(self._word)
        if self._column and self._column + width >= self._read_size()[0]:
            self._write("\n" + self._word)
            self._column = _count_cells(self._word)
        else:
            self._write(self._gap + self._word)
            self._column += width
        self._gap = self._word = ""


def _count_cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


class LiveWriter:
    """Prints formatted text. `_drawn` are the lines that may still change; the cursor is behind the last of them."""

    def __init__(
        self, *, colored: bool, signs: Signs = UNICODE_SIGNS, size: Callable[[], tuple[int, int]] = _terminal_size
    ) -> None:
        from todo_cli.cli.render.markdown import MarkdownRenderer
        from todo_cli.cli.render.markdown_blocks import BlockSplitter

        self._line_ends, self._splitter = _LineEnds(), BlockSplitter()
        self._renderer = MarkdownRenderer(colored=colored, signs=signs)
        self._drawn: list[str] = []
        self._is_all_drawn = True  # everything that has arrived of the last block
        self._read_size, self._size = size, size()
        self._is_in_word = False  # after a resize, the rest of the current word is printed unformatted
        self._drawn_at = 0.0

    def add_text(self, text: str) -> None:
        """Draw more text."""
        text = self._line_ends.escape(text)
        if self._is_resized():
            self._leave_drawn_lines()
        if self._is_in_word:
            text = self._finish_word(text)
        blocks = self._splitter.feed(text)
        if not blocks and self._is_too_early():
            return
        tail = self._splitter.open
        lines = [line for block in blocks for line in self._render(block)]
        self._draw(lines, self._render(tail) if tail else [])

    def finish(self) -> None:
        """Draw the rest and end the line."""
        if self._is_resized():
            self._leave_drawn_lines()
        if self._is_in_word:
            _write("\n")
            self._is_in_word = False
        self._draw([line for block in self._splitter.end() for line in self._render(block)], [])
        from todo_cli.cli.render.markdown_blocks import BlockSplitter

        self._splitter, self._line_ends = BlockSplitter(), _LineEnds()

    def _render(self, block: Block) -> list[str]:
        return [""] * block.gap + self._renderer.render(block, self._size[0] - 1)

    def _is_too_early(self) -> bool:
        """Whether a long block was drawn so recently that it need not be drawn again."""
        now = time.monotonic()
        if self._splitter.size > LONG_BLOCK_CHARS and now - self._drawn_at < REDRAW_SECONDS:
            self._is_all_drawn = False
            return True
        self._drawn_at = now
        return False

    def _is_resized(self) -> bool:
        old, self._size = self._size, self._read_size()
        return bool(self._drawn) and (old[0] != self._size[0] or self._size[1] <= len(self._drawn))

    def _leave_drawn_lines(self) -> None:
        """Leave the drawn lines as they are. If they are not all of their block, the block is drawn again below."""
        self._is_in_word = self._is_all_drawn and self._splitter.discard()
        if not self._is_in_word:
            _write("\n")
        self._drawn = []

    def _finish_word(self, text: str) -> str:
        """Print the rest of the word before the cursor and return the text after it."""
        match = re.match(r"\S*", text)
        word = match[0] if match else ""
        self._is_in_word = len(word) == len(text)
        _write(word if self._is_in_word else word + "\n")
        return text[len(word) :].lstrip(" \t").removeprefix("\n") if not self._is_in_word else ""

    def _draw(self, lines: list[str], tail: list[str]) -> None:
        """Draw finished lines, then those of the open block, as many as the terminal has room for."""
        room = max(self._size[1] - 2, 1)
        old, new = self._drawn, lines + tail[-room:]
        self._drawn, self._is_all_drawn = tail[-room:], len(tail) <= room
        pairs = enumerate(zip(old, new, strict=False))
        same = next((index for index, (before, after) in pairs if before != after), min(len(old), len(new)))
        out = _redraw(old, new, same)
        if lines and not tail:
            out += "\n"
        if out:
            _write(out)


def _redraw(old: list[str], new: list[str], same: int) -> str:
    """Return the output that replaces the old lines by the new ones. The first `same` lines are equal."""
    if same == len(old):
        return "".join(("\n" if index else "") + new[index] for index in range(same, len(new)))
    last = len(old) - 1
    if same == last and same < len(new) and new[same].startswith(old[same]):
        return new[same][len(old[same]) :] + "".join("\n" + line for line in new[same + 1 :])
    out = "\r" + (f"\x1b[{last - same}A" if last > same else "")
    out += "\n".join(line + "\x1b[K" for line in new[same:])
    return out + ("\x1b[J" if len(new) < len(old) else "")
