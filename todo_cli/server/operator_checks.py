"""Check a server's configuration for its operator. Each check returns a sentence or raises TodoError."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

import psycopg

from todo_cli.db.errors import translate_error
from todo_cli.db.login_check import refuse_owner
from todo_cli.db.pooler import Pooler, find_pooler
from todo_cli.errors import Invalid, NotAllowed
from todo_cli.server.connection_pools import MAX_CONNECTIONS_WITHOUT_POOL
from todo_cli.server.proxies import check_proxies

LOCAL_HOSTS = ("", "localhost", "127.0.0.1", "::1")

POWERFUL_CLIENTS = """
SELECT coalesce(string_agg(rolname, ', ' ORDER BY rolname), '')
  FROM pg_roles
 WHERE rolcanlogin AND (rolsuper OR rolbypassrls OR rolcreaterole) AND NOT rolname = 'postgres'
   AND rolname IN (
       SELECT m.rolname FROM pg_auth_members a
         JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
        WHERE g.rolname IN ('todo_server', 'todo_worker', 'todo_person') AND NOT a.admin_option)"""

CONNECTION_ARITHMETIC = """
SELECT current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int
       + coalesce(current_setting('reserved_connections', true), '0')::int,
       (SELECT coalesce(sum(CASE WHEN m.rolconnlimit < 0 THEN 0 ELSE m.rolconnlimit END), 0)
          FROM pg_auth_members a
          JOIN pg_roles g ON g.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
         WHERE g.rolname = 'todo_person' AND m.rolcanlogin)::int"""


SHARED_RIGHTS = """
SELECT concat_ws(' and ',
  'connect to ' || (
    SELECT string_agg(d.datname, ', ' ORDER BY d.datname) FROM pg_database d
     WHERE d.datname IN ('postgres', 'template1')
       AND has_database_privilege('todo_person', d.oid, 'CONNECT')),
  CASE WHEN has_function_privilege('todo_person', 'pg_catalog.lo_create(oid)', 'EXECUTE')
    THEN 'store large objects' END)"""


class DatabaseState(NamedTuple):
    """The facts about a database that a server's login can read."""

    host: str
    is_encrypted: bool
    powerful_clients: str
    max_connections: int
    reserved_connections: int
    direct_connections: int
    pooler: Pooler | None = None
    shared_rights: str = ""


def read_database_state(url: str) -> DatabaseState:
    """Read what the checks need, on one connection; raises TodoError."""
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            powerful: Any = connection.execute(POWERFUL_CLIENTS).fetchone()
            numbers: Any = connection.execute(CONNECTION_ARITHMETIC).fetchone()
            rights: Any = connection.execute(SHARED_RIGHTS).fetchone()
            is_encrypted = bool(connection.pgconn.ssl_in_use)
            state = DatabaseState(connection.info.host, is_encrypted, powerful[0], *numbers)
    except psycopg.Error as error:
        raise translate_error(error) from None
    return state._replace(pooler=asyncio.run(find_pooler(url)), shared_rights=rights[0])


def check_logins(url: str, state: DatabaseState) -> str:
    """Report a login that row-level security does not bind."""
    refuse_owner(url)
    if state.powerful_clients:
        raise NotAllowed(
            f"logins of users have more rights than they need: {state.powerful_clients}",
            hint="take SUPERUSER, BYPASSRLS and CREATEROLE from them",
        )
    return "no client of the database is a superuser or bypasses row-level security"


def check_encryption(state: DatabaseState) -> str:
    """Report a connection to a database elsewhere that is not encrypted."""
    if state.host.startswith("/") or state.host in LOCAL_HOSTS:
        return "the database is on this machine; clients are encrypted by --certificate or by a proxy in front"
    if not state.is_encrypted:
        raise Invalid(
            f"the connection to the database on {state.host} is not encrypted",
            hint="add sslmode=verify-full to the server's database_url",
        )
    return "the database is encrypted; clients are encrypted by --certificate or by a proxy in front"


def check_trusted_proxies(proxies: str) -> str:
    """Report proxies that are not addresses, and a setting that trusts every client."""
    check_proxies(proxies)
    if proxies.strip() == "*":
        raise Invalid(
            "every client is trusted to name its own address, by which failed sign-ins are limited",
            hint="name the proxies in TODO_PROXIES",
        )
    return f"X-Forwarded headers are believed from {proxies}"


def check_connections(state: DatabaseState, pool_size: int) -> str:
    """Report a pool that is larger than the database allows, and print how many processes it has room for."""
    pool_size = pool_size or MAX_CONNECTIONS_WITHOUT_POOL
    room = state.max_connections - state.reserved_connections
    if pool_size > room:
        raise Invalid(
            f"a server process may open {pool_size} connections, and the database allows {room}",
            hint="lower TODO_POOL_SIZE, or raise max_connections of the database",
        )
    return (
        f"{pool_size} of {room} for each server process, so at most {room // pool_size} processes;"
        f" direct logins may take {state.direct_connections}"
    )


def check_worker(url: str) -> str:
    """Report a worker's connection through a pooler that passes no notifications."""
    refuse_owner(url)
    pooler = asyncio.run(find_pooler(url))
    if pooler is not None and pooler.mode != "session":
        raise Invalid(
            f"the worker hears no notifications through {pooler}, so reminders come late",
            hint="give TODO_WORKER_DATABASE_URL the database's own address",
        )
    return "its login is bound by row-level security, and notifications arrive"
