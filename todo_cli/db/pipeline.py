"""Send several statements in one go with one Sync, and read all their results in one go.

psycopg's own pipeline sends each statement by itself and makes a cursor for it: 156-184 µs of client CPU for a sign-in
and a list, against 67-74 µs here (one process, alternating, a busy machine, 2026-11). This one also knows which
statements are prepared when a pipeline fails half-way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg import AsyncConnection, Error, OperationalError, generators
from psycopg.abc import PQGen
from psycopg.errors import Diagnostic, DuplicatePreparedStatement, InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from todo_cli.db.connection_settings import connection_settings
from todo_cli.db.errors import translate_error
from todo_cli.db.prepared_statements import Preparation, PreparedStatements, name_statement
from todo_cli.db.sql import Sql
from todo_cli.db.text_values import to_text

Row = tuple[str | None, ...]

REPLICATION_WAIT = "SyncRepWaitForLSN"
"""The function of Postgres that warns of a commit that was cancelled while it waited for a standby. It is no error."""
MAX_TIME_AGE_SECONDS = 60.0  # of the database's time that a connection remembers

# counts the seconds that a suspended machine sleeps; it has no date, so a wrong date of this machine does not matter
_STEADY_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Connection(AsyncConnection[Any]):
    """A connection that knows which statements are prepared on it, by their text, and the database's time."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.preparation = Preparation()
        self.statements = PreparedStatements()
        self._last_time: tuple[datetime, float] | None = None
        self._is_unreplicated = False
        self.add_notice_handler(self._read_notice)

    def _read_notice(self, notice: Diagnostic) -> None:
        self._is_unreplicated |= notice.source_function == REPLICATION_WAIT

    def take_unreplicated(self) -> bool:
        """Return whether the last commit may be lost with this server, and forget it."""
        is_unreplicated, self._is_unreplicated = self._is_unreplicated, False
        return is_unreplicated

    def set_time(self, now: datetime) -> None:
        """Remember the time that the database has just returned."""
        self._last_time = now, time.clock_gettime(_STEADY_CLOCK)

    def estimate_time(self) -> datetime | None:
        """Return the database's time, exact to a round trip; None if it has returned none within a minute."""
        if self._last_time is None:
            return None
        then, reading = self._last_time
        age = time.clock_gettime(_STEADY_CLOCK) - reading
        return then + timedelta(seconds=age) if age <= MAX_TIME_AGE_SECONDS else None


class _Bound(NamedTuple):
    """A statement with its values in the form of the wire protocol."""

    text: str
    values: list[bytes | None]


async def run(connection: Connection, statements: list[tuple[Sql, list[Any]]]) -> list[Row | None]:
    """Run statements in one round trip; return the first row of each as text, None where it has no row.

    Together they are one implicit transaction, unless one is open. Raises the psycopg.Error of the first that failed.
    """
    bound = [_Bound(sql.text, [to_text(value) for value in values]) for sql, values in statements]
    async with connection.lock:
        rows, error = await _exchange_or_close(connection, bound)
        if isinstance(error, DuplicatePreparedStatement | InvalidSqlStatementName):
            # A pooler has changed the server connection, and does not keep statements. This process prepares no more.
            connection.preparation.is_on = False
            connection.statements.clear()
            if connection.pgconn.transaction_status == TransactionStatus.IDLE:  # nothing was done
                rows, error = await _exchange_or_close(connection, bound)
        if connection.take_unreplicated():
            raise OperationalError("the database stopped waiting for its standby")
    if error:
        raise error
    return rows


async def _exchange_or_close(connection: Connection, bound: list[_Bound]) -> tuple[list[Row | None], Error | None]:
    try:
        return await connection.wait(_exchange(connection, bound))
    finally:
        if connection.pgconn.pipeline_status != PipelineStatus.OFF:
            # Given up half-way: the results that are still to come belong to no request.
            await connection.close()


def _exchange(connection: Connection, bound: list[_Bound]) -> PQGen[tuple[list[Row | None], Error | None]]:
    """Return the rows up to the first statement that failed, and its error."""
    pgconn = connection.pgconn
    pgconn.enter_pipeline_mode()
    closed = connection.statements.forget_oldest()
    for name in closed:
        pgconn.send_close_prepared(name)
    expected = _send_statements(connection, bound)
    pgconn.pipeline_sync()
    yield from generators.send(pgconn)
    results = yield from _fetch_results(connection)
    pgconn.exit_pipeline_mode()
    answers: list[Row | None] = []
    for preparation, result in zip(expected, results[len(closed) :], strict=False):
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
            break
        if preparation is None:
            answers.append(_first_row(result, connection.info.encoding))
        else:
            connection.statements.add(*preparation)
    failed = next((result for result in results if result.status == ExecStatus.FATAL_ERROR), None)
    return answers, error_from_result(failed, connection.info.encoding) if failed else None


def _send_statements(connection: Connection, bound: list[_Bound]) -> list[tuple[str, bytes] | None]:
    """Send statements; return for each result to come the statement that it prepares, or None for its rows."""
    pgconn, statements, is_on = connection.pgconn, connection.statements, connection.preparation.is_on
    preparing: dict[str, bytes] = {}
    expected: list[tuple[str, bytes] | None] = []
    for text, values in bound:
        name = (statements.find(text) or preparing.get(text)) if is_on else None
        if is_on and statements.count_use(text) and name is None:
            name = preparing[text] = name_statement(text)
            pgconn.send_prepare(name, text.encode())
            expected.append((text, name))
        if name is None:
            pgconn.send_query_params(text.encode(), values)
        else:
            pgconn.send_query_prepared(name, values)
        expected.append(None)
    return expected


def _fetch_results(connection: Connection) -> PQGen[list[PGresult]]:
    """Return all results up to the Sync, with an error that the Sync itself reports."""
    found: list[PGresult] = []
    while True:
        results = yield from generators.fetch_many(connection.pgconn)
        if not results:
            raise _connection_lost(found, connection)
        if results[-1].status == ExecStatus.PIPELINE_SYNC:
            return found
        found += results


def _connection_lost(found: list[PGresult], connection: Connection) -> Error:
    for result in found:
        if result.status == ExecStatus.FATAL_ERROR and result.error_field(67):  # its SQLSTATE
            return error_from_result(result, connection.info.encoding)
    return OperationalError(connection.pgconn.get_error_message() or "the connection was lost")


def _first_row(result: PGresult, encoding: str) -> Row | None:
    if result.status != ExecStatus.TUPLES_OK or not result.ntuples:
        return None
    cells = (result.get_value(0, column) for column in range(result.nfields))
    return tuple(None if cell is None else bytes(cell).decode(encoding) for cell in cells)


async def connect(url: str, preparation: Preparation | None = None, application: str = "todo") -> Connection:
    """Open a connection on which the statements of one pipeline are one implicit transaction; raises TodoError."""
    try:
        connection = await Connection.connect(url, **connection_settings(url, application))
    except Error as error:
        raise translate_error(error) from error
    connection.preparation = preparation or connection.preparation
    return connection


@asynccontextmanager
async def time_limit(seconds: float) -> AsyncIterator[None]:
    """Raise TimeoutError after so many seconds.

    The inner limit lets psycopg cancel the statement and keep the connection. Where the database hangs, psycopg would
    wait ten seconds for that; the outer limit gives up after one.
    """
    async with asyncio.timeout(seconds + 1), asyncio.timeout(seconds):
        yield
