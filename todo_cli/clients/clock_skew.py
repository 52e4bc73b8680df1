"""How far this machine's clock is from the one that decides what is overdue and expired."""

from __future__ import annotations

import time

from todo_cli.errors import Unavailable
from todo_cli.settings.settings import Settings


def clock_difference(settings: Settings) -> float:
    """Seconds this machine is ahead, within about a second; raises Unavailable."""
    return time.time() - (_server_time(settings) if settings.server else _database_time(settings))


def _server_time(settings: Settings) -> float:
    from email.utils import parsedate_to_datetime

    from todo_cli.clients.http_once import NotConnected, ResponseLost, exchange

    try:
        answer = exchange((settings.server or "").rstrip("/"), "GET", "/healthz", None, {}, settings.timeout)
        # the header has whole seconds: half of one is the best guess at the rest
        return parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5
    except (ResponseLost, NotConnected, KeyError, ValueError):
        raise Unavailable("the server does not say what time it is") from None


def _database_time(settings: Settings) -> float:
    import psycopg

    from todo_cli.db.errors import translated

    url = settings.database_url
    try:
        with psycopg.connect(url.reveal() if url else "", connect_timeout=5) as connection:
            row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    except psycopg.Error as error:
        raise translated(error) from None
    return float(row[0]) if row else 0.0
