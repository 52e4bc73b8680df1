"""Print the progress of long work: in place on a terminal, one line a minute elsewhere."""

from __future__ import annotations

import sys
import time

REPORT_SECONDS = 60.0
DRAW_SECONDS = 0.1
BAR_CELLS = 20
MAX_SHOWN_NAME_CHARS = 30


class Progress:
    """`unit` is printed after the counts: "3 of 7 pages written"."""

    def __init__(self, unit: str) -> None:
        self._unit, self._reported_at, self._is_drawn = unit, time.monotonic(), False

    def update(self, done: int, total: int) -> None:
        """Print how much is done."""
        self._show(f"{done:,} of {total:,} {self._unit}")

    def update_count(self, done: int) -> None:
        """Print how much is done where the total is not known."""
        self._show(f"{done:,} {self._unit}")

    def _show(self, line: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{line}")
            self._is_drawn = True
        elif time.monotonic() - self._reported_at >= REPORT_SECONDS:
            sys.stderr.write(f"{line}\n")
            self._reported_at = time.monotonic()
        sys.stderr.flush()

    def end(self) -> None:
        """End the line drawn in place."""
        if self._is_drawn:
            sys.stderr.write("\n")
            sys.stderr.flush()


class TransferProgress:
    """The progress of one file. A terminal shows a bar, drawn ten times a second at most."""

    def __init__(self, name: str, size: int) -> None:
        from todo_cli.cli.render.cells import cut
        from todo_cli.cli.render.escape import escape

        self._name, self._size = cut(escape(name), MAX_SHOWN_NAME_CHARS), size
        self._reported_at, self._is_drawn = time.monotonic(), False
        self._pause = DRAW_SECONDS if sys.stderr.isatty() else REPORT_SECONDS

    def update(self, done: int) -> None:
        """Show how many bytes are done, if it is time."""
        if time.monotonic() - self._reported_at < self._pause:
            return
        self._reported_at = time.monotonic()
        self._is_drawn = sys.stderr.isatty()
        percent = 100 * done // max(1, self._size)
        line = f"{percent:3} %  {done / 1_000_000:,.1f} of {self._size / 1_000_000:,.1f} MB"
        if self._is_drawn:
            sys.stderr.write(f"\r{self._name}  {_draw_bar(percent)} {line}\x1b[K")
        else:
            sys.stderr.write(f"{self._name}  {line}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Erase the bar."""
        if self._is_drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _draw_bar(percent: int) -> str:
    from todo_cli.cli.render.signs import UNICODE_SIGNS, choose_signs

    full, empty = ("█", "░") if choose_signs() is UNICODE_SIGNS else ("#", ".")
    cells = BAR_CELLS * percent // 100
    return full * cells + empty * (BAR_CELLS - cells)
