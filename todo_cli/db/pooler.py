"""Find the pooler in front of a database: its name, its pool mode, and whether it keeps prepared statements.

A pooler hides itself, so each fact is measured: it gives its clients process numbers of its own, shares the connections
of the database between them, and refuses what it does not support with an error of its own.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from todo_cli.contract.ids import new_id
from todo_cli.db.errors import translate_error
from todo_cli.errors import Invalid

CONNECT_SECONDS = 5
STEP_SECONDS = 5
"""A second client of a full pool in session mode would wait for ever."""

MODE_ROUNDS = 5

HOST_NAMES = (
    (r"\.pooler\.supabase\.com$", "Supavisor"),
    (r"\.proxy-[^.]+\.[^.]+\.rds\.amazonaws\.com$", "RDS Proxy"),
    (r"-pooler\..*neon\.tech$", "PgBouncer of Neon"),
    (r"\.postgres\.database\.azure\.com$", "PgBouncer of Azure"),
)
"""Services that run the pooler are known by the names of their hosts."""

ERRORS = (("RDS Proxy", "RDS Proxy"), ("unsupported startup parameter", "PgBouncer"))
"""How a pooler refuses the startup parameter `options`, which Postgres itself accepts."""


class Pooler(NamedTuple):
    """A pooler: its name as far as it is known, its pool mode, and whether it keeps prepared statements."""

    name: str
    mode: str
    keeps_statements: bool

    def __str__(self) -> str:
        return f"{self.name} in {self.mode} mode"

    @property
    def version(self) -> tuple[int, ...]:
        """The numbers of its version, () where it reports none."""
        found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", self.name)
        return tuple(int(part) for part in found.groups(default="0")) if found else ()


SAFE_PGBOUNCER = (1, 25, 2)
"""The oldest release without CVE-2026-6664 to 6667."""

PoolerClient = psycopg.AsyncConnection[Any]


async def find_pooler(url: str) -> Pooler | None:
    """Return the pooler in front of the database of the URL, None if there is none; raises TodoError."""
    try:
        async with await _connect(url) as connection:
            if await _read_server(connection) == connection.info.backend_pid:
                return None
            mode = await _measure_mode(url, connection)
            name = await _find_name(url, connection.info.host)
            keeps_statements = mode == "session" or (mode == "transaction" and await _keeps_statements(url, connection))
            return Pooler(name, mode, keeps_statements)
    except psycopg.Error as error:
        raise translate_error(error) from None


def describe_pooler(pooler: Pooler, prepare: str) -> str:
    """Return what works behind the pooler and what does not; raises Invalid where requests fail."""
    if pooler.mode == "statement":
        raise Invalid(f"{pooler} breaks transactions", hint="set pool_mode = transaction in the pooler")
    if pooler.mode == "session":
        return f"{pooler}: everything works, and each client keeps a connection of the database"
    statements = "not prepared" if prepare == "off" else "prepared" if pooler.keeps_statements else "prepared in vain"
    return f"{pooler}: requests work, statements are {statements}; notifications do not arrive"


def advise_on_pooler(pooler: Pooler, prepare: str) -> str:
    """Return what to change, "" for nothing."""
    advice = []
    if pooler.mode == "transaction" and not pooler.keeps_statements and prepare != "off":
        advice.append("set `prepare` to off, or max_prepared_statements = 200 in PgBouncer from 1.21 on")
    if pooler.mode == "transaction" and pooler.keeps_statements and prepare == "off":
        advice.append("set `prepare` to auto, which is faster here")
    if pooler.name.startswith("PgBouncer ") and () < pooler.version < SAFE_PGBOUNCER:
        advice.append("update PgBouncer to 1.25.2 or newer because of CVE-2026-6664 to 6667")
    return "; ".join(advice)


async def _connect(url: str, **options: str) -> PoolerClient:
    conninfo = make_conninfo(url, connect_timeout=CONNECT_SECONDS, **options)
    return await psycopg.AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=None)


async def _read_server(connection: PoolerClient) -> int:
    """Return the process of the database that answers a transaction of this connection."""
    cursor = await connection.execute("SELECT pg_backend_pid()")
    row: Any = await cursor.fetchone()
    return int(row[0])


async def _measure_mode(url: str, connection: PoolerClient) -> str:
    """Return "statement", "transaction" or "session": whether two open clients share a connection of the database."""
    try:
        async with connection.transaction():
            await _read_server(connection)
    except psycopg.Error:
        return "statement"
    try:
        async with asyncio.timeout(STEP_SECONDS), await _connect(url) as other:
            first, second = set(), set()
            for _ in range(MODE_ROUNDS):
                first.add(await _read_server(connection))
                second.add(await _read_server(other))
    except TimeoutError:
        return "session"
    return "transaction" if first & second or len(first) > 1 else "session"


async def _find_name(url: str, host: str) -> str:
    """Name the pooler by its own answer, its host, or the error with which it refuses `options`."""
    if version := await _ask_version(url):
        return version
    for pattern, name in HOST_NAMES:
        if re.search(pattern, host):
            return name
    try:
        async with await _connect(url, options="-c todo.probe=on"):
            return "an unknown pooler"
    except psycopg.Error as error:
        return next((name for text, name in ERRORS if text in str(error)), "an unknown pooler")


async def _ask_version(url: str) -> str:
    """Return the version of a PgBouncer that lets this login read its statistics, or ""."""
    try:
        async with await _connect(url, dbname="pgbouncer") as console:
            row: Any = await (await console.execute("SHOW VERSION")).fetchone()
            return str(row[0])
    except psycopg.Error:
        return ""


async def _keeps_statements(url: str, connection: PoolerClient) -> bool:
    """Return whether two clients can prepare different statements under one name, and still execute their own."""
    name = f"todo_probe_{new_id()}".encode()
    try:
        async with await _connect(url) as other:
            for client, text in ((connection, b"SELECT 1"), (other, b"SELECT 2")):
                if not _succeeds(await asyncio.to_thread(client.pgconn.prepare, name, text)):
                    return False
            for client in (connection, other):
                if not _succeeds(await asyncio.to_thread(client.pgconn.exec_prepared, name, [])):
                    return False
        return True
    finally:
        await asyncio.to_thread(connection.pgconn.close_prepared, name)


def _succeeds(result: Any) -> bool:
    return result.status in (psycopg.pq.ExecStatus.COMMAND_OK, psycopg.pq.ExecStatus.TUPLES_OK)
