"""Servers that are killed at any moment behind a balancer that loses, doubles and cuts: nothing is lost or doubled.

A run is replayed with its seed: TODO_TEST_SEED=… TODO_TEST_OPERATIONS=… python -m pytest -m long tests/stateless
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Database, wait_for
from tests.stateless.storm import Storm, read_seed, start_instances
from tests.support.chat_process import model_environment
from tests.support.fake_model import FakeModel, run_fake_model
from tests.support.model_answers import call_answer, text_answer
from tests.support.valkey import ValkeyServer
from todo_cli.contract.base import Secret
from todo_cli.db.migrate import migrate
from todo_cli.db.owner import open_owner_session
from todo_cli.local_postgres.cluster import LocalPostgres

TERMINATE = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = 'todo_server'"""


@pytest.fixture(scope="module")
def adding_model() -> Iterator[FakeModel]:
    """A model that adds one task in each turn and then says so."""
    with run_fake_model() as running:
        running.add({"steps": text_answer("Added."), "when": {"role": "tool"}, "keep": True})
        running.otherwise = call_answer(("add_task", {"title": "from the chat"}))
        yield running


def restart_valkey(valkey: ValkeyServer) -> None:
    """Kill Valkey, which forgets its counts and answers, and start it again."""
    valkey.kill()
    valkey.start()


def test_three_servers_under_kills_and_faults_lose_and_double_nothing(
    fresh_db: Database, adding_model: FakeModel, valkey: ValkeyServer, tmp_path: Path
) -> None:
    """In short: the database ends all connections of the servers instead of being killed."""

    def end_connections() -> None:
        fresh_db.execute(TERMINATE)

    environment = model_environment(adding_model) | {"TODO_CACHE_URL": valkey.url, "TODO_LIMITS_URL": valkey.url}
    with start_instances(tmp_path, fresh_db, environment) as instances:
        Storm(fresh_db, instances, read_seed(), 150, end_connections, partial(restart_valkey, valkey)).run()


@pytest.fixture
def own_postgres() -> Iterator[LocalPostgres]:
    """A Postgres to be killed, with its disk's guarantees."""
    home = Path(tempfile.mkdtemp(prefix="todo-storm-"))
    home.chmod(0o755)
    postgres = LocalPostgres(home / "pg")
    postgres.ensure()
    migrate(postgres.owner_url())
    with open_owner_session(postgres.owner_url()) as work:
        work.set_password("todo_server", Secret("server-password"))
    yield postgres
    postgres.destroy()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.long
def test_three_servers_and_their_postgres_under_kills_lose_and_double_nothing(
    own_postgres: LocalPostgres, adding_model: FakeModel, valkey: ValkeyServer, tmp_path: Path
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
    operations = int(os.environ.get("TODO_TEST_OPERATIONS") or 3_000)
    environment = model_environment(adding_model) | {"TODO_CACHE_URL": valkey.url, "TODO_LIMITS_URL": valkey.url}
    with start_instances(tmp_path, database, environment) as instances:
        Storm(database, instances, read_seed(), operations, kill_database, partial(restart_valkey, valkey)).run()
