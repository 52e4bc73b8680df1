"""Measure how far this machine's clock is from the clock that decides what is overdue or expired."""

from __future__ import annotations

import time

from todo_cli.errors import Unavailable
from todo_cli.settings.settings import Settings

CONNECT_TIMEOUT_SECONDS = 5


def measure_clock_skew(settings: Settings) -> float:
    """Return the seconds by which this machine is ahead, exact to about a second; raises Unavailable."""
    return time.time() - (_read_server_time(settings) if settings.server else _read_database_time(settings))


def _read_server_time(settings: Settings) -> float:
    from email.utils import parsedate_to_datetime

    from todo_cli.clients.http_once import NotConnected, ResponseLost, send_once

    try:
        response = send_once((settings.server or "").rstrip("/"), "GET", "/healthz", None, {}, settings.timeout)
        # the header has whole seconds: half a second is the best guess at the rest
        return parsedate_to_datetime(response.headers["date"]).timestamp() + 0.5
    except (ResponseLost, NotConnected, KeyError, ValueError):
        raise Unavailable("the server does not send its time") from None


def _read_database_time(settings: Settings) -> float:
    import psycopg

    from todo_cli.db.errors import translate_error

    url = settings.database_url
    try:
        with psycopg.connect(url.reveal() if url else "", connect_timeout=CONNECT_TIMEOUT_SECONDS) as connection:
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    except psycopg.Error as error:
        raise translate_error(error) from None
    return float(row[0]) if row else 0.0
