"""No reminder is lost or sent twice, no webhook unsigned, no object or row orphaned, whatever is killed meanwhile.

A run is replayed with its seed: TODO_TEST_SEED=… TODO_TEST_OPERATIONS=… python -m pytest -m long tests/stateless
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Database, wait_for
from tests.stateless.job_storm import JobStorm, WorkerProcess
from tests.stateless.storm import read_seed, start_instances
from tests.stateless.test_storm import own_postgres
from tests.support.receivers import HttpReceiver
from tests.support.seaweedfs import Seaweedfs
from tests.support.valkey import ValkeyServer
from todo_cli.contract.base import Secret
from todo_cli.db.owner import open_owner_session
from todo_cli.local_postgres.cluster import LocalPostgres

__all__ = ["own_postgres"]

WORKER_PASSWORD = "worker-password"
TERMINATE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND usename IN ('todo_server', 'todo_worker')"""


@contextmanager
def start_workers(directory: Path, database: Database, env: dict[str, str]) -> Iterator[list[WorkerProcess]]:
    """Start two workers, and kill them at the end."""
    with open_owner_session(database.owner_url) as work:
        work.set_password("todo_worker", Secret(WORKER_PASSWORD))
    url = database.address("todo_worker", WORKER_PASSWORD)
    workers = [WorkerProcess(directory, url, env) for _ in range(2)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()


def test_two_workers_under_kills_lose_double_and_orphan_nothing(
    fresh_db: Database, seaweedfs: Seaweedfs, tmp_path: Path
) -> None:
    """In short: the database ends all connections instead of being killed."""
    hook = HttpReceiver()
    with (
        hook.run(),
        start_instances(tmp_path, fresh_db, seaweedfs.settings, 1) as (instance,),
        start_workers(tmp_path, fresh_db, seaweedfs.settings) as workers,
    ):

        def end_connections() -> None:
            fresh_db.execute(TERMINATE)

        JobStorm(fresh_db, instance, workers, hook, seaweedfs, read_seed(), 40, end_connections).run()


@pytest.mark.long
def test_everything_under_kills_loses_doubles_and_orphans_nothing(
    own_postgres: LocalPostgres, valkey: ValkeyServer, seaweedfs: Seaweedfs, tmp_path: Path
) -> None:
    def url(login: str, password: str) -> str:
        return own_postgres.url(login, password)

    def kill_database() -> None:
        pid = own_postgres.running()
        assert pid
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: own_postgres.running() is None)
        own_postgres.start()

    database = Database(own_postgres.owner_url(), url("todo_server", "server-password"), url)
    operations = int(os.environ.get("TODO_TEST_OPERATIONS") or 1_000)
    env = seaweedfs.settings | {"TODO_CACHE_URL": valkey.url}
    hook = HttpReceiver()
    with (
        hook.run(),
        start_instances(tmp_path, database, env, 1) as (instance,),
        start_workers(tmp_path, database, env) as workers,
    ):
        storm = JobStorm(database, instance, workers, hook, seaweedfs, read_seed(), operations, kill_database)

        def restart_cache() -> None:
            valkey.kill()
            valkey.start()

        storm.restart_store, storm.restart_cache = seaweedfs.restart, restart_cache
        storm.run()
