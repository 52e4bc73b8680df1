"""Read figures of the whole database."""

from __future__ import annotations

from todo_cli.contract.codec import decode
from todo_cli.contract.server_stats import ReadServerStats, ServerStats
from todo_cli.core.dispatch import handler
from todo_cli.db.pipeline import Connection
from todo_cli.db.service_statements import run_statement
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

READ_AS_ADMIN = Sql("SELECT todo.admin_stats()::text")
READ_AS_SERVER = Sql("SELECT todo.server_stats()::text")


@handler(ReadServerStats)
async def read_server_stats(tx: Transaction, request: ReadServerStats) -> ServerStats:
    """Return the figures to an administrator."""
    return decode(await tx.finish(READ_AS_ADMIN) or "", ServerStats)


async def read_stats_as_server(connection: Connection) -> ServerStats:
    """Return the figures to a server or a worker; raises TodoError."""
    return decode(await run_statement(connection, READ_AS_SERVER, {}) or "", ServerStats)
