"""Print the progress of long work: in place on a terminal, one line a minute elsewhere."""

from __future__ import annotations

import sys
import time

REPORT_SECONDS = 60.0


class Progress:
    """`unit` is printed after the counts: "3 of 7 pages written"."""

    def __init__(self, unit: str) -> None:
        self._unit, self._reported_at, self._is_drawn = unit, time.monotonic(), False

    def update(self, done: int, total: int) -> None:
        """Print how much is done."""
        line = f"{done:,} of {total:,} {self._unit}"
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
