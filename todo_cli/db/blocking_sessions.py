"""End the sessions that keep a migration waiting for its locks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

import psycopg
from psycopg import sql

POLL_INTERVAL_SECONDS = 0.2

FIND = """
SELECT a.pid, a.usename, pg_has_role(a.usesysid, 'USAGE')
  FROM pg_stat_activity a
 WHERE a.pid = ANY (pg_blocking_pids(%s)) AND a.datname = current_database()"""

# a statement that runs longer than clients may has lifted the limit
END = """
SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity
 WHERE pid = %s
   AND (state LIKE 'idle in transaction%%'
     OR query_start < clock_timestamp() - interval '30 seconds')"""


@contextmanager
def end_blocking_sessions(url: str, waiting: int) -> Iterator[None]:
    """Within the block, end the sessions that bar the backend `waiting` while they idle in a transaction."""
    done = Event()
    with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
        thread = Thread(target=_watch, args=(connection, waiting, done), daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


def _watch(connection: psycopg.Connection[Any], waiting: int, done: Event) -> None:
    while not done.wait(POLL_INTERVAL_SECONDS):
        for pid, login, may_end in connection.execute(FIND, [waiting]).fetchall():
            with suppress(psycopg.Error):
                _end_session(connection, pid, None if may_end else login)


def _end_session(connection: psycopg.Connection[Any], pid: int, login: str | None) -> None:
    """End a session if it idles. An owner who is no superuser must be a member of its `login` at that moment."""
    with connection.transaction(force_rollback=True):
        if login:
            connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(login)))
        connection.execute(END, [pid])
