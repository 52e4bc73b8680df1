"""The client of a Redis or Valkey server. Its outage costs a moment of each request: nothing is retried."""

from __future__ import annotations

from typing import Any

from todo_cli.errors import Unavailable

TIMEOUT_SECONDS = 0.5
"""To connect, and for each answer: a busy server is not taken for a dead one. A dead one refuses at once."""
MAX_CONNECTIONS = 50
KEY_PREFIX = "todo"


def open_valkey(url: str) -> Any:
    """Return a client that connects on first use; raises Unavailable where the extra `redis` is not installed."""
    try:
        from valkey.asyncio import BlockingConnectionPool, Valkey
        from valkey.backoff import NoBackoff
        from valkey.retry import Retry
    except ImportError:
        raise Unavailable(
            "the client of Redis and Valkey is not installed", hint="install it with: pip install 'todo-cli[redis]'"
        ) from None
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    return Valkey(connection_pool=pool)
