"""Many processes that send requests of one user, and the moments at which the limiter let them in.

    python -m tests.support.rate_storm DATABASE_URL VALKEY_URL USER CLIENTS SECONDS PAUSE SEED

VALKEY_URL is empty where Postgres counts. Prints the moments as a JSON list.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time

from todo_cli.db.pipeline import connect, run
from todo_cli.db.rate_limit import LIMIT_REQUEST, USER_POLICY, WINDOW_SECONDS, RequestCount
from todo_cli.db.sql import Sql
from todo_cli.errors import TooMany
from todo_cli.server.connection_pools import open_pool
from todo_cli.server.rate_limit import RateLimiter
from todo_cli.stores.valkey_client import open_valkey
from todo_cli.stores.valkey_rate_limit import ValkeyRateLimit

WORK = Sql("SELECT pg_sleep(%(seconds)s::float8)")
SLOW_SHARE, SLOW_SECONDS = 0.05, 0.2


def run_storm(
    database_url: str,
    valkey_url: str,
    user: str,
    *,
    processes: int,
    clients: int,
    seconds: float,
    pause: float,
    seed: int,
) -> list[float]:
    """Return the moments of the requests that were let in, in order."""
    numbers = [str(clients), str(seconds), str(pause)]
    command = [sys.executable, "-m", "tests.support.rate_storm", database_url, valkey_url, user, *numbers]
    running = [
        subprocess.Popen([*command, str(seed + place)], stdout=subprocess.PIPE, text=True) for place in range(processes)
    ]
    outputs = [process.communicate(timeout=seconds + 120)[0] for process in running]
    assert [process.returncode for process in running] == [0] * processes
    return sorted(moment for output in outputs for moment in json.loads(output))


def find_shortest_stretch(moments: list[float], limit: int) -> float:
    """Return the seconds of the shortest stretch that has more than the limit; infinity where none has."""
    return min((late - early for early, late in zip(moments, moments[limit:], strict=False)), default=float("inf"))


async def _let_in(
    database_url: str, valkey_url: str, user: str, until: float, pause: float, luck: random.Random
) -> list[float]:
    """Send requests with random pauses, and slow ones among them; wait for the limit when it asks for little."""
    connection = await connect(database_url)
    pool = open_pool(database_url, 1)
    limiter = (
        ValkeyRateLimit(open_valkey(valkey_url), RateLimiter(pool, is_on=True)._read_limits) if valkey_url else None
    )
    moments = []
    while time.monotonic() < until:
        count = RequestCount(USER_POLICY)
        statements = [(WORK, [SLOW_SECONDS if luck.random() < SLOW_SHARE else 0])]
        try:
            if limiter:
                await limiter.record(user, count)
                if count.is_pending:  # Valkey was too slow to answer; a server would count in Postgres
                    continue
                await run(connection, statements)
            else:
                first, *_ = await run(connection, [(LIMIT_REQUEST, [user, USER_POLICY]), *statements])
                count.store(first[0] if first else None)
            assert count.rate
            moments.append(count.rate.at)
        except TooMany as refused:
            await _sleep(min(refused.extra["retry_after"], WINDOW_SECONDS), until)
        except Exception as error:
            if getattr(error, "sqlstate", None) != "TD429":
                raise
            await _sleep(luck.random() * pause * 4, until)
        await _sleep(luck.expovariate(1 / pause) if pause else 0, until)
    await connection.close()
    await pool.close()
    return moments


async def _sleep(seconds: float, until: float) -> None:
    """Sleep, but not beyond the end of the storm."""
    await asyncio.sleep(max(0.0, min(seconds, until - time.monotonic())))


async def _main() -> None:
    database_url, valkey_url, user, clients, seconds, pause, seed = sys.argv[1:]
    until = time.monotonic() + float(seconds)
    work = [
        _let_in(database_url, valkey_url, user, until, float(pause), random.Random(int(seed) * 100 + place))
        for place in range(int(clients))
    ]
    print(json.dumps([moment for moments in await asyncio.gather(*work) for moment in moments]))


if __name__ == "__main__":
    asyncio.run(_main())
