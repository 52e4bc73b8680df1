"""Requests that the database undid for a passing reason are repeated with their key, by a server and a direct client."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.conftest import Database, Person
from tests.support.thread_clients import straight
from todo_cli.contract.base import Caller, Request, Secret
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask, CompleteTasks
from todo_cli.db.errors import RolledBack
from todo_cli.server.connection_pools import open_pool
from todo_cli.server.pool import answer

FAIL = """
CREATE SEQUENCE public.attempts;
CREATE FUNCTION public.fail() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  IF nextval('public.attempts') <= {failures} THEN RAISE EXCEPTION USING ERRCODE = '{state}'; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER fail BEFORE INSERT ON todo.changes FOR EACH ROW EXECUTE FUNCTION public.fail();
"""


async def send_as_server(db: Database, person: Person, request: Request[Any]) -> None:
    pool = open_pool(db.server_url, 2)
    await pool.open()
    try:
        await answer(pool, Caller(token=Secret(person.token), zone="UTC", key=new_id()), request)
    finally:
        await pool.close()


async def send_directly(db: Database, person: Person, request: Request[Any]) -> None:
    client = straight(person)
    try:
        await client.send(request)
    finally:
        await client.aclose()


WAYS = pytest.mark.parametrize("send", [send_as_server, send_directly])
Send = Callable[[Database, Person, Request[Any]], Coroutine[Any, Any, None]]


@WAYS
@pytest.mark.parametrize("state", ["40P01", "40001", "26000", "42P05"])
def test_request_that_was_rolled_back_is_repeated_and_acts_once(fresh_db: Database, send: Send, state: str) -> None:
    person = fresh_db.person()
    fresh_db.execute(FAIL.format(failures=2, state=state))
    for request in (AddTask(title="milk"), CompleteTasks(numbers=(1,))):
        asyncio.run(send(fresh_db, person, request))
        fresh_db.execute("ALTER SEQUENCE public.attempts RESTART")
    assert fresh_db.execute("SELECT count(*), count(completed_at) FROM todo.tasks") == [(1, 1)]
    assert fresh_db.execute("SELECT count(*) FROM todo.changes") == [(2,)]


@WAYS
def test_request_that_is_rolled_back_every_time_is_refused(fresh_db: Database, send: Send) -> None:
    fresh_db.execute(FAIL.format(failures=100, state="40P01"))
    with pytest.raises(RolledBack, match="another change came in between"):
        asyncio.run(send(fresh_db, fresh_db.person(), AddTask(title="milk")))
    assert fresh_db.execute("SELECT count(*) FROM todo.tasks") == [(0,)]
