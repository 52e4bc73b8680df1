"""Show that a turn goes on: a line at the bottom of the terminal, until there is something to print."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time

from todo_cli.cli.render.cells import read_width
from todo_cli.cli.render.signs import UNICODE_SIGNS, Signs

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
ASCII_FRAMES = "-\\|/"
DELAY_SECONDS = 0.3
"""A shorter wait shows nothing."""
FRAME_SECONDS = 0.1
STOP_HINT = "Ctrl-C stops"


def has_motion() -> bool:
    """Whether the terminal behind stderr may show motion; a dumb one and one without colours may not."""
    is_still = os.environ.get("NO_MOTION") or os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return sys.stderr.isatty() and not is_still


class Spinner:
    """Draws on stderr. Other output clears it first; `wait_for` begins the next wait."""

    def __init__(self, signs: Signs, *, moving: bool) -> None:
        self._is_moving, self._signs = moving, signs
        self._frames = itertools.cycle(FRAMES if signs is UNICODE_SIGNS else ASCII_FRAMES)
        self._started_at = time.monotonic()
        self._label, self._waiting_since = "", self._started_at
        self._is_drawn = self._was_noted = False

    def wait_for(self, label: str) -> None:
        """Begin to wait: the label names what goes on."""
        self._label, self._waiting_since = label, time.monotonic()

    def rename(self, label: str) -> None:
        """Name what goes on anew, if the spinner waits."""
        self._label = label if self._label else ""

    def clear(self) -> None:
        """Erase the line and stop waiting."""
        self._label = ""
        if self._is_drawn:
            self._is_drawn = False
            _write("\r\x1b[K")

    async def run(self) -> None:
        """Draw ten times a second, until it is cancelled."""
        self._started_at = time.monotonic()
        while True:
            if self._label and time.monotonic() - self._waiting_since >= DELAY_SECONDS:
                self._draw()
            await asyncio.sleep(FRAME_SECONDS)

    def _draw(self) -> None:
        if self._is_moving:
            self._is_drawn = True
            _write(f"\r\x1b[2m{self._format_line(read_width() - 1)}\x1b[0m\x1b[K")
        elif not self._was_noted:
            self._was_noted = True
            _write(f"{self._label}{self._signs.ellipsis} ({STOP_HINT})\n")

    def _format_line(self, width: int) -> str:
        seconds = int(time.monotonic() - self._started_at)
        line = f"{next(self._frames)} {self._label} {self._signs.dot} {seconds}s"
        gap = width - len(line) - len(STOP_HINT)
        return f"{line}{' ' * gap}{STOP_HINT}" if gap >= 2 else line[:width]


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()
