"""When a request is sent again: after its answer was lost, with the same key, so that it acts once; and after a limit.

`http_once.py` sends one attempt, `http.py` the whole.
"""

from __future__ import annotations

import time
from typing import Any

from todo_cli.clients.base import possibly_done_note
from todo_cli.clients.http_once import ResponseLost
from todo_cli.clients.http_proxies import describe_proxy
from todo_cli.contract.base import Request
from todo_cli.errors import TodoError, TooMany, Unavailable

MAX_ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 0.2  # four times as long after each attempt
MAX_LIMIT_PAUSE_SECONDS = 5  # that a command waits for a rate limit by itself


class Attempts:
    """Counts the attempts of one request and decides how long each may take and when to stop."""

    def __init__(self, server: str, timeout: float, request: Request[Any], key: str | None) -> None:
        self._server, self._half, self._note = server, timeout / 2, possibly_done_note(request, key)
        self._deadline = time.monotonic() + timeout
        self._count, self._was_lost, self._has_waited = 0, False, False

    def timeout(self) -> float:
        """Return the seconds for the next attempt: at most half of the whole, the last attempt takes the rest."""
        remaining = max(0.1, self._deadline - time.monotonic())
        return remaining if self._count == MAX_ATTEMPTS - 1 else min(remaining, self._half)

    def pause_after(self, error: Exception) -> float:
        """Return the seconds to wait before the next attempt; raises the error when there is none."""
        if isinstance(error, TooMany):
            return self._pause_for_limit(error)
        self._was_lost = self._was_lost or isinstance(error, ResponseLost) or _has_flag(error, "uncertain")
        pause: float = FIRST_PAUSE_SECONDS * 4**self._count
        self._count += 1
        can_retry = not isinstance(error, TodoError) or _has_flag(error, "again")
        if can_retry and self._count < MAX_ATTEMPTS and time.monotonic() + pause < self._deadline:
            return pause
        note = self._note if self._was_lost else ""
        if isinstance(error, TodoError):
            raise Unavailable(error.detail + note, hint=error.hint, **error.extra) from None
        proxy = describe_proxy(self._server)
        way = f" through {proxy}" if proxy else ""
        raise Unavailable(f"the server {self._server} cannot be reached{way}: {error}{note}") from None

    def _pause_for_limit(self, error: TooMany) -> float:
        """Return the whole time that the server asks for, once, if it is short; a refused request counts as well."""
        pause = float(error.extra.get("retry_after") or 0)
        is_short = 0 < pause <= MAX_LIMIT_PAUSE_SECONDS and time.monotonic() + pause < self._deadline
        if self._has_waited or not is_short or "reason" in error.extra:
            raise error
        self._has_waited = True
        return pause


def _has_flag(error: Exception, name: str) -> bool:
    return isinstance(error, TodoError) and bool(error.extra.get(name))
