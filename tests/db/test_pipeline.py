"""Several statements in one go: one transaction, and a connection that is whole again after whatever went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import psycopg
import pytest

from tests.conftest import Database
from todo_cli.db import pipeline
from todo_cli.db.pipeline import connect
from todo_cli.db.prepared_statements import MAX_STATEMENTS, name_statement
from todo_cli.db.sql import Sql

R = TypeVar("R")
Work = Callable[[pipeline.Connection], Coroutine[Any, Any, R]]

ONE, TWO = Sql("SELECT %(a)s::text"), Sql("SELECT %(b)s::int + 1, 'x'")
BAD = Sql("SELECT 1 / %(b)s::int")
SLOW = Sql("SELECT pg_sleep(%(b)s::int)")


async def count_prepared(connection: pipeline.Connection) -> int:
    row = await (await connection.execute("SELECT count(*) FROM pg_prepared_statements")).fetchone()
    return int(row[0]) if row else 0


def on(db: Database, work: Work[R]) -> R:
    """Run the work on a new connection, which must still be usable afterwards."""

    async def whole() -> R:
        connection = await connect(db.owner_url)
        try:
            found = await work(connection)
            assert await pipeline.run(connection, [(ONE, ["end"])]) == [("end",)]
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            return found
        finally:
            await connection.close()

    return asyncio.run(whole())


def test_run_returns_the_first_row_of_each_as_text(db: Database) -> None:
    nothing = Sql("SELECT 1 WHERE %(a)s::boolean")
    given: list[tuple[Sql, list[Any]]] = [(ONE, ["é\n"]), (TWO, [41]), (nothing, [False]), (ONE, [None])]
    assert on(db, lambda connection: pipeline.run(connection, given)) == [("é\n",), ("42", "x"), None, (None,)]


def test_failure_undoes_all_and_raises_the_first(fresh_db: Database) -> None:
    fresh_db.execute("CREATE TABLE public.one (a text)")
    insert = Sql("INSERT INTO public.one VALUES (%(a)s)")

    async def work(connection: pipeline.Connection) -> None:
        for _ in range(3):  # prepared now, if not the first time
            with pytest.raises(psycopg.errors.DivisionByZero):
                await pipeline.run(connection, [(insert, ["x"]), (BAD, [0]), (TWO, [1]), (Sql("no SQL"), [])])
        assert await pipeline.run(connection, [(TWO, [1])]) == [("2", "x")]

    on(fresh_db, work)
    assert fresh_db.execute("SELECT count(*) FROM public.one") == [(0,)]


def test_error_at_the_sync_is_raised(fresh_db: Database) -> None:
    """A deferred constraint fails at the Sync."""
    fresh_db.execute("CREATE TABLE public.one (a text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    insert = Sql("INSERT INTO public.one VALUES (%(a)s)")

    async def work(connection: pipeline.Connection) -> None:
        with pytest.raises(psycopg.errors.UniqueViolation):
            await pipeline.run(connection, [(insert, ["x"]), (insert, ["x"])])

    on(fresh_db, work)


def test_statement_that_a_pooler_dropped_runs_and_is_not_prepared_again(db: Database) -> None:
    async def work(connection: pipeline.Connection) -> None:
        for _ in range(3):
            assert await pipeline.run(connection, [(ONE, ["x"]), (TWO, [1])]) == [("x",), ("2", "x")]
        await connection.execute("DEALLOCATE ALL")
        for _ in range(3):
            assert await pipeline.run(connection, [(ONE, ["x"]), (TWO, [1])]) == [("x",), ("2", "x")]
        assert await count_prepared(connection) == 0

    on(db, work)


def test_statement_that_another_client_prepared_runs_unnamed(db: Database) -> None:
    """A pooler gives a server connection on which another process has prepared the same statement."""

    async def work(connection: pipeline.Connection) -> None:
        name, text = name_statement(ONE.text).decode(), ONE.text.replace("$1", "'another'")
        await connection.execute(f"PREPARE {name} AS {text}".encode())
        for _ in range(3):
            assert await pipeline.run(connection, [(TWO, [1]), (ONE, ["mine"])]) == [("2", "x"), ("mine",)]

    on(db, work)


def test_statement_is_prepared_at_its_second_use_unless_preparation_is_off(db: Database) -> None:
    async def work(connection: pipeline.Connection) -> list[int]:
        counts = []
        for is_on in (True, False):
            connection.preparation.is_on = is_on
            statement = Sql(f"SELECT {int(is_on)}, %(a)s::text")  # type: ignore[arg-type]
            for _ in range(2):
                await pipeline.run(connection, [(statement, ["x"])])
                counts.append(await count_prepared(connection))
            assert await pipeline.run(connection, [(statement, ["x"])] * 3) == [(str(int(is_on)), "x")] * 3
        return counts

    assert on(db, work) == [0, 1, 1, 1]


def test_statement_keeps_its_name_in_every_process_and_shares_it_with_no_other() -> None:
    assert name_statement("SELECT 1") == b"todo_e004ebd5b5532a4b85984a62f8ad48a8"
    assert name_statement("SELECT 1") != name_statement("SELECT 2")


def test_statement_with_values_of_other_types_runs(db: Database) -> None:
    async def work(connection: pipeline.Connection) -> list[Any]:
        return [await pipeline.run(connection, [(TWO, [value])]) for value in (1, 100_000, "7", 2)]

    assert on(db, work) == [[("2", "x")], [("100001", "x")], [("8", "x")], [("3", "x")]]


def test_connection_keeps_a_limited_number_of_statements(db: Database) -> None:
    async def work(connection: pipeline.Connection) -> None:
        for number in range(MAX_STATEMENTS * 2):
            statement = Sql(f"SELECT {number}")  # type: ignore[arg-type]
            for _ in range(2):
                assert await pipeline.run(connection, [(statement, []), (ONE, ["kept"])]) == [(str(number),), ("kept",)]
        with pytest.raises(psycopg.errors.DivisionByZero):  # even then the oldest are closed
            await pipeline.run(connection, [(BAD, [0]), (TWO, [1])])
        assert 50 <= await count_prepared(connection) <= MAX_STATEMENTS

    on(db, work)


def test_cancelled_request_ends_and_keeps_the_connection(db: Database) -> None:
    async def work(connection: pipeline.Connection) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await pipeline.run(connection, [(ONE, ["x"]), (SLOW, [30]), (TWO, [1])])
        assert not connection.closed

    on(db, work)


def test_value_with_nul_sends_nothing(db: Database) -> None:
    async def work(connection: pipeline.Connection) -> None:
        with pytest.raises(psycopg.DataError):
            await pipeline.run(connection, [(ONE, ["x"]), (ONE, ["a\0b"])])

    on(db, work)


def test_terminated_connection_raises(db: Database) -> None:
    async def work() -> None:
        connection = await connect(db.owner_url)
        asyncio.get_running_loop().call_later(
            0.3, db.execute, "SELECT pg_terminate_backend(%s)", connection.info.backend_pid
        )
        with pytest.raises(psycopg.OperationalError):
            await pipeline.run(connection, [(SLOW, [30])])
        assert connection.closed

    asyncio.run(work())
