"""The time that is left for a Request ends its statements in the database, whatever becomes of its client."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import Person
from todo_cli.contract.base import Caller, Secret
from todo_cli.contract.users import WhoAmI
from todo_cli.db import policies
from todo_cli.db.pipeline import connect
from todo_cli.db.sql import Sql
from todo_cli.db.statement_limit import DATABASE_LIMIT_SECONDS
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Unavailable

SLOW = Sql("SELECT pg_sleep(60)::text")
LIMIT = Sql("SELECT current_setting('statement_timeout')")


async def read_limits(person: Person, own: str, seconds_left: float) -> list[str | None]:
    """Return the limit in a request of one statement, of several, and behind the request."""
    connection = await connect(person.database_url)
    await connection.execute(f"SET statement_timeout = '{own}'".encode())
    caller = Caller(token=Secret(person.token))
    limits = [await Transaction(connection, caller, WhoAmI, seconds_left=seconds_left).finish(LIMIT)]
    async with Transaction(connection, caller, WhoAmI, seconds_left=seconds_left).steps() as steps:
        await steps.fetch(LIMIT)
        limits.append(await steps.fetch(LIMIT))
    limits.append(await Transaction(connection, caller, WhoAmI).finish(LIMIT))
    await connection.close()
    return limits


@pytest.mark.parametrize(
    ("own", "seconds_left", "expected"),
    [
        ("30s", 7.5, "7500ms"),
        ("0", 7.5, "7500ms"),
        ("1min", 7.5, "7500ms"),
        ("5s", 7.5, "5s"),  # the operator's shorter limit stays
        ("30s", 35.0, "30s"),
    ],
)
def test_statement_limit_is_the_shorter_of_the_request_and_the_login(
    person: Person, own: str, seconds_left: float, expected: str
) -> None:
    assert asyncio.run(read_limits(person, own, seconds_left)) == [expected, expected, own]


def test_limit_of_the_database_is_that_of_its_logins() -> None:
    assert policies.TIMEOUTS["statement_timeout"] == f"{DATABASE_LIMIT_SECONDS:g}s"


def test_statement_beyond_the_limit_is_ended_by_the_database(person: Person) -> None:
    async def run() -> None:
        connection = await connect(person.database_url)
        tx = Transaction(connection, Caller(token=Secret(person.token)), WhoAmI, seconds_left=0.1)
        with pytest.raises(Unavailable, match="the database took too long"):
            await tx.finish(SLOW)
        await connection.close()

    asyncio.run(run())
