"""How far long work has come: on a terminal at once, in one line; elsewhere a line a minute."""

from __future__ import annotations

import sys
import time

REPORT_SECONDS = 60.0


class Progress:
    """`what`: what is counted, behind its number."""

    def __init__(self, what: str) -> None:
        self._what, self._told, self._drawn = what, time.monotonic(), False

    def __call__(self, done: int, total: int) -> None:
        """So many of so many are done."""
        line = f"{done:,} of {total:,} {self._what}"
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{line}")
            self._drawn = True
        elif time.monotonic() - self._told >= REPORT_SECONDS:
            sys.stderr.write(f"{line}\n")
            self._told = time.monotonic()
        sys.stderr.flush()

    def end(self) -> None:
        """What comes next begins a line."""
        if self._drawn:
            sys.stderr.write("\n")
            sys.stderr.flush()
