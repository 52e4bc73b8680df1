"""How long what runs may go on once the server has been told to stop: `todo serve --grace`, counted from the signal."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

GRACE = "TODO_SERVE_GRACE"
"""Where `todo serve` leaves it for its workers, which are new processes."""
USUAL = 10.0

Handler = Callable[[int, FrameType | None], Any]


class Grace:
    """Seconds, running from the first signal; where none was seen, from the first question."""

    def __init__(self) -> None:
        self._seconds = float(os.environ.get(GRACE) or USUAL)
        self._told: float | None = None

    def notice(self) -> None:
        """See the signals that end the server, ahead of whoever handles them."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, self._noticing(handler))

    def left(self) -> float:
        """Seconds, 0 at least."""
        self._told = self._told or time.monotonic()
        return max(0.0, self._told + self._seconds - time.monotonic())

    def _noticing(self, handler: Handler) -> Handler:
        def noticed(number: int, frame: FrameType | None) -> Any:
            self._told = self._told or time.monotonic()
            return handler(number, frame)

        return noticed
