"""The grace period of a shutdown: how long running requests may continue after the signal (`todo serve --grace`)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

GRACE_VARIABLE = "TODO_SERVE_GRACE"
"""The environment variable by which `todo serve` passes the seconds to its worker processes."""
DEFAULT_GRACE_SECONDS = 10.0

SignalHandler = Callable[[int, FrameType | None], Any]


class GracePeriod:
    """Counts down from the first signal, or from the first call of `seconds_left` if there was no signal."""

    def __init__(self) -> None:
        self._seconds = float(os.environ.get(GRACE_VARIABLE) or DEFAULT_GRACE_SECONDS)
        self._started: float | None = None

    def watch_signals(self) -> None:
        """Start the period at the first signal that ends the server, before its own handler runs."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            handler = signal.getsignal(number)
            if callable(handler):
                signal.signal(number, self._wrap(handler))

    def seconds_left(self) -> float:
        """Return the rest of the period, at least 0."""
        self._started = self._started or time.monotonic()
        return max(0.0, self._started + self._seconds - time.monotonic())

    @property
    def has_begun(self) -> bool:
        """Whether the server is ending."""
        return self._started is not None

    def _wrap(self, handler: SignalHandler) -> SignalHandler:
        def handle_signal(number: int, frame: FrameType | None) -> Any:
            self._started = self._started or time.monotonic()
            return handler(number, frame)

        return handle_signal
