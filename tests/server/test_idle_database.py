"""A server that gets no requests lets its database sleep: hosted databases are stopped, and cost nothing, while idle."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from urllib.request import Request, urlopen

import psycopg
import pytest

from tests.conftest import Database, Server
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.server.turn_adoption import SWEEP_SECONDS
from todo_cli.server.turn_sweep import QUIET_SECONDS

IDLE_SECONDS = 60.0


def read_last_use(postgres: LocalPostgres, database: Database) -> datetime:
    """Return when a session of a server last connected or asked, looked up in another database."""
    name = psycopg.conninfo.conninfo_to_dict(database.owner_url)["dbname"]
    with psycopg.connect(postgres.owner_url("postgres")) as connection:
        row = connection.execute(
            """SELECT max(greatest(backend_start, query_start)) FROM pg_stat_activity
            WHERE datname = %s AND usename = 'todo_server'""",
            (name,),
        ).fetchone()
    assert row
    last: datetime = row[0]
    return last


@pytest.mark.long
def test_idle_server_does_not_wake_its_database(
    postgres: LocalPostgres, fresh_db: Database, make_server: Callable[..., Server]
) -> None:
    server, person = make_server(fresh_db), fresh_db.person()
    request = Request(server.url + "/v1/tasks", headers={"Authorization": f"Bearer {person.token}"})
    with urlopen(request, timeout=20) as answer:
        assert answer.status == 200
    used = read_last_use(postgres, fresh_db)
    time.sleep(QUIET_SECONDS + 2 * SWEEP_SECONDS)
    last = read_last_use(postgres, fresh_db)
    assert last > used, "a server in use looks for dead turns"
    time.sleep(IDLE_SECONDS)
    assert read_last_use(postgres, fresh_db) == last, "0 wake-ups in a minute, and none in an hour"
