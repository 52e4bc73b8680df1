"""Servers and direct clients behind a real PgBouncer in transaction mode, with and without its prepared statements."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Database, Person, Todo
from tests.support.pgbouncer import read_version, require_pgbouncer, run_pgbouncer
from tests.support.thread_clients import straight
from todo_cli.contract.base import Caller, Request, Secret
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask, CompleteTasks, ListTasks
from todo_cli.db.pooler import Pooler, advise_on_pooler, find_pooler
from todo_cli.server.connection_pools import Pool, open_pool
from todo_cli.server.operator_checks import check_connections, read_database_state
from todo_cli.server.pool import answer

ROOT = Path(__file__).parents[2]
STEPS = 6  # of each worker, three requests a step
PREPARED = pytest.mark.parametrize("max_prepared_statements", [0, 200])

Send = Callable[[Request[Any]], Any]


async def work(send: Send, name: str) -> None:
    """Add, list and complete tasks, one request after the other."""
    for step in range(STEPS):
        task = await send(AddTask(title=f"{name}.{step}"))
        await send(ListTasks(limit=5))
        await send(CompleteTasks(numbers=(task.number,)))


def send_with(pool: Pool, person: Person) -> Send:
    """Send as a server does."""

    async def send(request: Request[Any]) -> Any:
        return (await answer(pool, Caller(token=Secret(person.token), zone="UTC", key=new_id()), request)).value

    return send


async def run_everybody(url: str, direct: Person, size: int) -> None:
    """Two servers with three users each, and two direct clients, all at once."""
    pools, clients = [open_pool(url, size), open_pool(url, size)], [straight(direct), straight(direct)]
    senders = [send_with(pool, direct) for pool in pools for _ in range(3)] + [client.send for client in clients]
    try:
        async with asyncio.TaskGroup() as group:
            for number, send in enumerate(senders):
                group.create_task(work(send, f"worker {number}"))
    finally:
        for opened in (*pools, *clients):
            await (opened.close() if isinstance(opened, Pool) else opened.aclose())


@PREPARED
@pytest.mark.parametrize("size", [4, 0])
def test_requests_behind_a_pooler_act_once_each(db: Database, max_prepared_statements: int, size: int) -> None:
    person = db.person()
    with run_pgbouncer(db.owner_url, max_prepared_statements) as pooler:
        direct = Person(person.name, person.user_id, person.token, pooler.through(person.database_url))
        asyncio.run(run_everybody(pooler.through(db.server_url), direct, size))
    titles = [f"worker {number}.{step}" for number in range(8) for step in range(STEPS)]
    rows = db.execute("SELECT title, status FROM todo.tasks WHERE space_id = %s", person.user_id)
    assert sorted(rows) == sorted((title, "done") for title in titles)
    changes = db.execute("SELECT count(*), max(seq) FROM todo.changes WHERE space_id = %s", person.user_id)
    assert changes == [(2 * len(titles), 2 * len(titles))]


@PREPARED
def test_pooler_in_front_of_a_database_is_named_with_its_mode(db: Database, max_prepared_statements: int) -> None:
    with run_pgbouncer(db.owner_url, max_prepared_statements) as pooler:
        found = read_database_state(pooler.through(db.server_url)).pooler
    assert found == Pooler("PgBouncer", "transaction", keeps_statements=bool(max_prepared_statements))


@pytest.mark.parametrize("mode", ["session", "statement"])
def test_pool_mode_is_measured(db: Database, mode: str) -> None:
    with run_pgbouncer(db.owner_url, mode=mode) as pooler:
        found = asyncio.run(find_pooler(pooler.through(db.server_url)))
    assert found is not None
    assert (found.name, found.mode) == ("PgBouncer", mode)


def test_doctor_names_the_version_of_a_pooler_that_tells_it(db: Database, bare: Todo) -> None:
    with run_pgbouncer(db.owner_url, stats_url=db.server_url) as pooler:
        worker = pooler.through(db.server_url)
        env = {"TODO_SERVER_DATABASE_URL": pooler.through(db.server_url), "TODO_WORKER_DATABASE_URL": worker}
        result = bare("doctor", "--json", env=env)
        checked = bare("db", "check", env={"TODO_OWNER_URL": pooler.through(db.owner_url)})
    checks = {check["name"]: check for check in result.json["checks"]}
    version = ".".join(map(str, read_version()))
    assert checks["pooler"]["detail"].startswith(f"PgBouncer {version}")
    assert "in transaction mode: requests work, statements are prepared in vain" in checks["pooler"]["detail"]
    assert "set `prepare` to off" in checks["pooler"]["hint"]
    assert (checks["worker"]["state"], result.code) == ("FAULT", 1)
    assert "hears no notifications through PgBouncer" in checks["worker"]["detail"]
    assert "leads through PgBouncer" in checked.err


def test_doctor_of_a_direct_client_names_the_pooler(db: Database, bare: Todo) -> None:
    person = db.person()
    with run_pgbouncer(db.owner_url) as pooler:
        env = {"TODO_DATABASE_URL": pooler.through(person.database_url), "TODO_TOKEN": person.token}
        result = bare("doctor", "--json", env=env | {"TODO_PREPARE": "off"})
    [connection] = [check for check in result.json["checks"] if check["name"] == "connection"]
    assert connection["detail"].startswith("PgBouncer in transaction mode: requests work, statements are not prepared")


def test_doctor_without_a_pooler_counts_connections_without_a_pool(db: Database) -> None:
    state = read_database_state(db.server_url)
    assert state.pooler is None
    assert check_connections(state, 0).startswith("10 of ")


ADVICE = {
    "a pooler that keeps statements": (Pooler("PgBouncer 1.25.2", "transaction", True), "auto", ""),
    "one that keeps none": (Pooler("Supavisor", "transaction", False), "auto", "set `prepare` to off"),
    "one that keeps them in vain": (Pooler("RDS Proxy", "transaction", True), "off", "set `prepare` to auto"),
    "an old release": (Pooler("PgBouncer 1.24.1", "transaction", True), "auto", "CVE-2026-6664"),
    "session mode": (Pooler("an unknown pooler", "session", True), "auto", ""),
}


@pytest.mark.parametrize("name", ADVICE)
def test_advice_on_a_pooler_fits_its_facts(name: str) -> None:
    pooler, prepare, advice = ADVICE[name]
    found = advise_on_pooler(pooler, prepare)
    assert advice in found
    assert bool(found) == bool(advice)


@pytest.mark.long
@PREPARED
def test_suite_of_operations_passes_behind_a_pooler(max_prepared_statements: int) -> None:
    require_pgbouncer(max_prepared_statements)
    # test_batch.py drives connections of its own, which repeat nothing and need the socket of Postgres
    suite = ["tests/operations", "--ignore", "tests/operations/test_batch.py"]
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "-p", "no:cacheprovider", *suite]
    env = os.environ | {"TODO_TEST_POOLER": str(max_prepared_statements)}
    result = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:]
