"""Bound the streams that each user has open in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from todo_cli.contract.base import Caller
from todo_cli.errors import TooMany


class StreamCounts:
    """The number of open streams of each user; `limit` is the most, and `refusal` describes a user who has so many."""

    def __init__(self, limit: int, refusal: str) -> None:
        self._limit, self._refusal = limit, refusal
        self._streams: Counter[str] = Counter()

    @contextmanager
    def count(self, caller: Caller) -> Iterator[None]:
        """Count a stream of the user during the block; raises TooMany."""
        user = caller.user_id
        if self._streams[user] >= self._limit:
            raise TooMany(self._refusal, hint="end one of the streams", reason="streams")
        self._streams[user] += 1
        try:
            yield
        finally:
            self._streams[user] -= 1
            if not self._streams[user]:
                del self._streams[user]
