"""Count each request of a signed-in user once, and show the state of the limit in the headers of the response."""

from __future__ import annotations

from math import ceil

import msgspec
import psycopg
from starlette.types import Message, Scope, Send

from todo_cli.contract.base import Caller
from todo_cli.db.errors import translate_error
from todo_cli.db.pipeline import run
from todo_cli.db.rate_limit import (
    CHAT_POLICY,
    LIMIT_REQUEST,
    READ_LIMITS,
    USER_POLICY,
    WINDOW_SECONDS,
    Rate,
    RequestCount,
)
from todo_cli.errors import TooMany, Unavailable
from todo_cli.server.connection_pools import Pool
from todo_cli.stores.valkey_client import open_valkey
from todo_cli.stores.valkey_rate_limit import ValkeyRateLimit


def policy_of(scope: Scope) -> str:
    """Return the limit that counts a request: turns of the chat have their own."""
    return CHAT_POLICY if scope["path"] == "/v1/turns" and scope["method"] == "POST" else USER_POLICY


class RateLimiter:
    """Begins the count of each request. Its first statement carries the count along, so that it costs no round trip.

    With the URL of a Redis or Valkey server the count is made there, and in Postgres while that server is away.
    """

    def __init__(self, pool: Pool, *, is_on: bool, url: str | None = None) -> None:
        self._pool, self._is_on = pool, is_on
        self._elsewhere = ValkeyRateLimit(open_valkey(url), self._read_limits) if is_on and url else None

    async def begin(self, scope: Scope, caller: Caller) -> RequestCount | None:
        """Return the count of a request for its first statement; None on a server without limits. Raises TooMany."""
        count = RequestCount(policy_of(scope)) if self._is_on else None
        scope["state"]["count"] = count
        if count and self._elsewhere:
            await self._elsewhere.record(caller.user_id, count)
        return count

    async def _read_limits(self, user: str) -> dict[str, int]:
        async with self._pool.lend(wait_for_database=False) as connection:
            [row] = await run(connection, [(READ_LIMITS, [user])])
        return msgspec.json.decode(row[0] or "{}", type=dict[str, int]) if row else {}

    async def finish(self, caller: Caller, count: RequestCount | None) -> None:
        """Count a request that asked nothing of the database; raises TooMany beyond the limit."""
        if count is None or not count.is_pending:
            return
        try:
            async with self._pool.lend(wait_for_database=False) as connection:
                [row] = await run(connection, [(LIMIT_REQUEST, [caller.user_id, count.policy])])
        except Unavailable:
            return
        except psycopg.Error as failure:
            if isinstance(limit := translate_error(failure), TooMany):
                count.store_refusal(limit)
                raise limit from None
        else:
            count.store(row[0] if row else None)


def add_rate_headers(scope: Scope, send: Send) -> Send:
    """Return a `send` that adds the state of the limit to the headers (draft-ietf-httpapi-ratelimit-headers)."""

    async def send_with_rate(message: Message) -> None:
        if message["type"] == "http.response.start":
            count: RequestCount | None = scope["state"].get("count")
            if count and count.rate:
                message["headers"] = [*message.get("headers", ()), *_format_headers(count.rate)]
        await send(message)

    return send_with_rate


def _format_headers(rate: Rate) -> list[tuple[bytes, bytes]]:
    policy = f'"{rate.policy}";q={rate.limit};w={WINDOW_SECONDS}'
    state = f'"{rate.policy}";r={rate.remaining};t={ceil(rate.reset)}'
    return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]
