"""What a connection needs beyond its URL: time limits, and the way to the primary among several hosts."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncRawCursor
from psycopg.conninfo import conninfo_to_dict

CONNECT_TIMEOUT_SECONDS = 10
HOST_TIMEOUT_SECONDS = 3
"""For each of several hosts, so that a host that does not answer does not use up the time of the others."""
KEEPALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 30_000}
"""A peer that has vanished is noticed after a minute at the latest (`tcp_user_timeout` is in milliseconds)."""


def connection_settings(url: str, application: str) -> dict[str, Any]:
    """Return the settings of psycopg for a connection that `pipeline.run` can use. A parameter of the URL wins."""
    given = conninfo_to_dict(url)
    is_failover = has_several_hosts(url)
    defaults: dict[str, Any] = {
        "application_name": application,
        "connect_timeout": HOST_TIMEOUT_SECONDS if is_failover else CONNECT_TIMEOUT_SECONDS,
        **KEEPALIVE,
    }
    if is_failover:
        defaults["target_session_attrs"] = "read-write"
    return {
        "autocommit": True,
        "cursor_factory": AsyncRawCursor,
        "prepare_threshold": None,  # psycopg would deallocate our prepared statements with its own
        **{name: value for name, value in defaults.items() if name not in given},
    }


def has_several_hosts(url: str) -> bool:
    """Return whether a URL names several hosts, one of which accepts writes."""
    given = conninfo_to_dict(url)
    return "," in str(given.get("host") or given.get("hostaddr") or "")
