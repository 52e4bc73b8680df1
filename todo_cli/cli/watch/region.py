"""The rows at the end of a terminal that are drawn again in place; what was above them stays."""

from __future__ import annotations

import sys
from collections.abc import Sequence

HIDE_CURSOR, SHOW_CURSOR = "\x1b[?25l", "\x1b[?25h"
HOME, ERASE_BELOW, ERASE_LINE = "\x1b[H", "\x1b[J", "\x1b[2K"


class Region:
    """The cursor stands in the last of the rows, which must be shorter than the terminal is wide."""

    def __init__(self) -> None:
        self._rows: list[str] = []
        self._is_lost = False

    def lose(self) -> None:
        """Draw all again the next time, on an empty screen: the terminal has another size, or others wrote to it."""
        self._is_lost = True

    def draw(self, rows: Sequence[str]) -> None:
        """Draw the rows that differ, in one write."""
        if self._is_lost:
            start, before = HOME + ERASE_BELOW, []
        else:
            before = self._rows
            start = f"\x1b[{len(before) - 1}A\r" if len(before) > 1 else "\r"
        self._is_lost, self._rows = False, list(rows)
        if before == self._rows:
            return
        parts = [HIDE_CURSOR, start]
        for place, row in enumerate(rows):
            parts.append("\r\n" if place else "")
            if place >= len(before) or before[place] != row:
                parts.append(ERASE_LINE + row)
        # the rest of the former rows is below; the last row itself ends before the cursor
        parts.append(f"\r\n{ERASE_BELOW}\x1b[A" if len(before) > len(rows) else "")
        _write("".join(parts))

    def close(self) -> None:
        """Leave the rows where they are, with the cursor below them."""
        if self._rows:
            _write(f"\r\n{SHOW_CURSOR}")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
