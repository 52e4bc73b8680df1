"""Find out within a fraction of a second whether a database can be reached at all."""

from __future__ import annotations

import asyncio
import os
import select
import time
from typing import Any

from psycopg.conninfo import conninfo_to_dict

PROBE_SECONDS = 0.5
"""Time for a host to accept a connection."""
MAX_PROBE_AGE_SECONDS = 1.0
"""How long a failed probe counts. A success says nothing of the next moment."""
DEFAULT_PORT = "5432"


class Reachability:
    """The result of the last probe. Concurrent callers share one probe."""

    def __init__(self, url: str) -> None:
        self._addresses = read_addresses(url)
        self._probe: asyncio.Task[bool] | None = None
        self._probed_at = float("-inf")
        self._is_reachable = True

    @property
    def is_known_down(self) -> bool:
        """Whether a probe has failed in the last second."""
        return not self._is_reachable and time.monotonic() - self._probed_at < MAX_PROBE_AGE_SECONDS

    async def is_down(self) -> bool:
        """Return whether no host accepts a connection, by a failed probe of the last second or a new one."""
        if not self.is_known_down:
            if self._probe is None or self._probe.done():
                self._probe = asyncio.create_task(self._accepts_connections())
            self._is_reachable = await asyncio.shield(self._probe)
            self._probed_at = time.monotonic()
        return not self._is_reachable

    async def _accepts_connections(self) -> bool:
        results = await asyncio.gather(*(_accepts(host, port) for host, port in self._addresses))
        return any(results) or not results


def read_addresses(url: str) -> list[tuple[str, str]]:
    """Return the hosts and ports of a database as libpq reads them; none where libpq chooses the place itself."""
    values: dict[str, Any] = conninfo_to_dict(url)
    hosts = str(values.get("hostaddr") or values.get("host") or os.environ.get("PGHOST") or "").split(",")
    ports = str(values.get("port") or os.environ.get("PGPORT") or DEFAULT_PORT).split(",")
    ports = ports * len(hosts) if len(ports) == 1 else ports
    return [(host, port or DEFAULT_PORT) for host, port in zip(hosts, ports, strict=False) if host]


async def _accepts(host: str, port: str) -> bool:
    is_socket = host.startswith(("/", "@"))
    opening = (
        asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        if is_socket
        else asyncio.open_connection(host, int(port))
    )
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await opening
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


def is_closed_by_server(connection: Any) -> bool:
    """Return whether the database has closed an idle connection. This costs no round trip."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))  # an idle connection has nothing to read but the end
