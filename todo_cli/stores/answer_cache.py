"""Encoded answers in Redis or Valkey. A key names all that its answer follows from, so that none is ever stale."""

from __future__ import annotations

from typing import Any

from todo_cli.stores.valkey_client import KEY_PREFIX

KEEP_SECONDS = 3_600
MAX_ANSWER_BYTES = 4 * 1024 * 1024


class AnswerCache:
    """Finds and keeps answers. Without the server there are none, and nothing else changes."""

    def __init__(self, client: Any) -> None:
        self._client = client

    async def find(self, key: str) -> bytes | None:
        """Return the answer of a key, None if it is not there or the server is away."""
        from valkey.exceptions import ValkeyError

        try:
            answer: bytes | None = await self._client.get(f"{KEY_PREFIX}:answer:{key}")
        except (ValkeyError, OSError):
            return None
        return answer

    async def keep(self, key: str, answer: bytes) -> None:
        """Keep an answer for an hour, unless it is very long or the server is away."""
        from valkey.exceptions import ValkeyError

        if len(answer) > MAX_ANSWER_BYTES:
            return
        try:
            await self._client.set(f"{KEY_PREFIX}:answer:{key}", answer, ex=KEEP_SECONDS)
        except (ValkeyError, OSError):
            return
