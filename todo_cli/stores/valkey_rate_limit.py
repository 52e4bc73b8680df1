"""The rate limit counted in Redis or Valkey: as exact as in Postgres, by the clock of that server.

A restart of it forgets the counts. Where it cannot be reached, Postgres counts the request, on its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from todo_cli.db.rate_limit import WINDOW_SECONDS, Rate, RequestCount, limit_error
from todo_cli.stores.valkey_client import KEY_PREFIX

LIMITS_SECONDS = 60
"""A changed limit holds after so long."""
UNKNOWN = -1

# KEYS: the newest moments of a user under a policy, newest first, up to the limit; the user's limits by policy.
# ARGV: the window in microseconds, the policy. A refused request takes a place too.
RECORD = f"""
local limit = tonumber(redis.call('HGET', KEYS[2], ARGV[2]) or {UNKNOWN})
if limit <= 0 then return {{limit}} end
local time, window = redis.call('TIME'), tonumber(ARGV[1])
local now = time[1] * 1000000 + time[2]
local oldest = redis.call('LINDEX', KEYS[1], -1)
while oldest and now - tonumber(oldest) >= window do
  redis.call('RPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], -1)
end
local used = redis.call('LLEN', KEYS[1])
redis.call('LPUSH', KEYS[1], string.format('%.0f', now))
redis.call('LTRIM', KEYS[1], 0, limit - 1)
redis.call('PEXPIRE', KEYS[1], math.ceil(window / 1000) + 1000)
return {{limit, used, redis.call('LINDEX', KEYS[1], -1), string.format('%.0f', now)}}
"""

ReadLimits = Callable[[str], Awaitable[dict[str, int]]]
"""Read the limits of a user by policy; 0 is no limit."""


class ValkeyRateLimit:
    """Counts requests in one server. The limits themselves are in Postgres, and kept here for a while."""

    def __init__(self, client: Any, read_limits: ReadLimits) -> None:
        self._client, self._read_limits = client, read_limits
        self._record = client.register_script(RECORD)

    async def record(self, user: str, count: RequestCount) -> None:
        """Count a request; raises TooMany beyond the limit. The count stays pending where the server is away."""
        from valkey.exceptions import ValkeyError

        try:
            found = await self._record_once(user, count.policy)
            if found[0] == UNKNOWN:
                await self._store_limits(user)
                found = await self._record_once(user, count.policy)
        except (ValkeyError, OSError):
            return
        rate = _read_rate(count.policy, found)
        count.store(msgspec.json.encode(rate).decode() if rate else None)
        if rate and rate.refused:
            raise limit_error(rate)

    async def _record_once(self, user: str, policy: str) -> list[Any]:
        # one slot of a cluster
        keys = [f"{KEY_PREFIX}:{{{user}}}:{policy}", f"{KEY_PREFIX}:{{{user}}}:limits"]
        found: list[Any] = await self._record(keys=keys, args=[WINDOW_SECONDS * 1_000_000, policy])
        return found

    async def _store_limits(self, user: str) -> None:
        key = f"{KEY_PREFIX}:{{{user}}}:limits"
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.hset(key, mapping=await self._read_limits(user))
            pipeline.expire(key, LIMITS_SECONDS)
            await pipeline.execute()


def _read_rate(policy: str, found: list[Any]) -> Rate | None:
    if len(found) == 1:  # no limit
        return None
    limit, used, oldest, now = (int(value) for value in found)
    return Rate(
        policy,
        limit,
        remaining=max(0, limit - used - 1),
        reset=WINDOW_SECONDS - (now - oldest) / 1_000_000,
        at=now / 1_000_000,
        refused=used >= limit,
    )
