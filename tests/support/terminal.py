"""A real terminal, as a person sees it: the command on one end, a screen on the other."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pexpect
import pyte

from tests.conftest import COMMAND, Todo

SETTLED = 0.06
"""Seconds without output after which a screen is looked at."""


class Terminal:
    """`todo …` on a screen of so many columns and rows; what has scrolled away is kept."""

    def __init__(
        self,
        todo: Todo,
        *arguments: str,
        columns: int = 80,
        rows: int = 24,
        command: tuple[str, ...] = COMMAND,
        **env: str,
    ) -> None:
        self.screen = pyte.HistoryScreen(columns, rows, history=20_000, ratio=0.5)
        self._stream = pyte.Stream(self.screen)
        self.raw = ""
        environment = {"TERM": "xterm-256color"} | env
        self.child = todo.spawn(*arguments, rows=rows, columns=columns, env=environment, command=command)
        self.child.delaybeforesend = None
        self.screen.write_process_input = self.child.send  # a terminal tells where its cursor is

    def pump(self, seconds: float = 0.05) -> bool:
        """What comes within that time; False at the end."""
        try:
            data = self.child.read_nonblocking(65_536, timeout=seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += data
        self._stream.feed(data)
        return True

    @property
    def lines(self) -> list[str]:
        """All lines, from the first that scrolled away, without the blank ones at the end."""
        scrolled = ["".join(row[place].data for place in sorted(row)) for row in self.screen.history.top]
        return "\n".join(line.rstrip() for line in [*scrolled, *self.screen.display]).rstrip().split("\n")

    @property
    def text(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines)

    def until(self, wanted: str | Callable[[], Any], timeout: float = 20) -> None:
        """Pump until it can be seen."""
        deadline = time.monotonic() + timeout
        while not (wanted in self.text if isinstance(wanted, str) else wanted()):
            assert time.monotonic() < deadline, f"waited in vain for {wanted!r}:\n{self.text}"
            if not self.pump():
                assert wanted in self.text if isinstance(wanted, str) else wanted(), f"it ended:\n{self.text}"
                return

    def prompted(self, timeout: float = 20) -> None:
        """Until the cursor stands behind an empty prompt."""
        self.until(lambda: re.match(r"todo> (Type a message|$)", self.line), timeout)

    @property
    def line(self) -> str:
        """The line that the cursor is in."""
        return self.screen.display[self.screen.cursor.y].rstrip() + (" " if self.screen.cursor.x == 6 else "")

    def keys(self, *keys: str) -> None:
        """Type; each is drawn before the next."""
        for one in keys:
            self.child.send(one)
            self.settle()

    def settle(self) -> None:
        """Until nothing has come for a moment."""
        size = -1
        while size != len(self.raw):
            size = len(self.raw)
            self.pump(SETTLED)

    def say(self, words: str, *wanted: str) -> None:
        """A message, what must come of it, and the prompt again."""
        before = {one: self.text.count(one) for one in wanted}
        self.keys(words)
        self.child.send("\r")
        for one, times in before.items():
            self.until(lambda one=one, times=times: self.text.count(one) > times + words.count(one))
        self.until(lambda: not self.line.endswith(words) or not words)
        self.prompted()

    def resize(self, columns: int, rows: int) -> None:
        """As somebody who pulls at the window's corner; what was wider is cut off, as xterm does."""
        self.pump()
        self.screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def replayed(self, columns: int = 200, rows: int = 200) -> str:
        """What the same bytes make of a screen that was so large from the beginning."""
        screen = pyte.Screen(columns, rows)
        pyte.Stream(screen).feed(self.raw)
        return "\n".join(screen.display)

    def ended(self, code: int = 0) -> None:
        """It has ended, with that exit code."""
        deadline = time.monotonic() + 15
        while self.pump(1):
            assert time.monotonic() < deadline, f"it has not ended:\n{self.text}"
        self.child.close()
        assert self.child.exitstatus == code, (self.child.exitstatus, self.child.signalstatus, self.text)
