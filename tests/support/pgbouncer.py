"""A real PgBouncer in transaction mode in front of the tests' Postgres.

The program is that of TODO_TEST_PGBOUNCER, or `pgbouncer` of the machine. Debian 12 has 1.18, which knows no prepared
statements; `max_prepared_statements` needs 1.21.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

PROGRAM = os.environ.get("TODO_TEST_PGBOUNCER") or shutil.which(
    "pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin"
)
POOL_SIZE = 3


def read_version() -> tuple[int, ...]:
    """Return the version of the program, () without one."""
    if not PROGRAM:
        return ()
    answer = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"PgBouncer (\d+)\.(\d+)", answer.stdout)
    assert found, answer.stdout
    return int(found[1]), int(found[2])


def require_pgbouncer(max_prepared_statements: int = 0) -> None:
    """Skip the test, with the reason, where the machine has no PgBouncer that can do it."""
    version = read_version()
    if not version:
        pytest.skip("this machine has no pgbouncer (Debian's package, or TODO_TEST_PGBOUNCER)")
    if max_prepared_statements and version < (1, 21):
        pytest.skip(f"PgBouncer {version[0]}.{version[1]} knows no max_prepared_statements, 1.21 does")


@contextmanager
def run_pgbouncer(
    owner_url: str, max_prepared_statements: int = 0, *, mode: str = "transaction", stats_url: str = ""
) -> Iterator[Pooler]:
    """Run PgBouncer for every login and database of the Postgres of `owner_url`.

    The login of `stats_url` may read the statistics of PgBouncer.
    """
    from tests.conftest import free_port, wait_for  # the fixtures of conftest use this module

    require_pgbouncer(max_prepared_statements)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="todo-pgbouncer-") as directory:
        home = Path(directory)
        log = home / "log"
        _write_settings(home, port, owner_url, max_prepared_statements, mode, stats_url)
        with log.open("w") as out:
            process = subprocess.Popen(
                [str(PROGRAM), str(home / "pgbouncer.ini")],
                stdout=out,
                stderr=out,
                cwd="/",
                **_choose_account(home, owner_url),  # type: ignore[call-overload]
            )
        try:
            wait_for(lambda: _accepts(port), log.read_text())
            yield Pooler(port)
        finally:
            process.terminate()
            process.wait(20)


class Pooler(NamedTuple):
    """A running PgBouncer."""

    port: int

    def through(self, url: str) -> str:
        """Return the URI of the same database and login by way of the pooler."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return f"postgresql://{login}@127.0.0.1:{self.port}{parts.path}"


def _write_settings(
    home: Path, port: int, owner_url: str, max_prepared_statements: int, mode: str, stats_url: str
) -> None:
    parts = urlsplit(owner_url)
    query = parse_qs(parts.query)
    owner, password = unquote(parts.username or ""), unquote(parts.password or "")
    reader = urlsplit(stats_url)
    (home / "users.txt").write_text(f'"{owner}" "{password}"\n"{reader.username}" "{reader.password}"\n')
    (home / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={query['host'][0]} port={query['port'][0]} auth_user={owner}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {home}/users.txt\n"
        "auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1\n"
        f"pool_mode = {mode}\nstats_users = {reader.username or ''}\ndefault_pool_size = {POOL_SIZE}\nmax_client_conn = 500\n"
        # Each user of the tests has a login and so a pool, and Postgres has 100 connections.
        "server_idle_timeout = 1\n"
        + (f"max_prepared_statements = {max_prepared_statements}\n" if read_version() >= (1, 21) else "")
    )


def _choose_account(home: Path, url: str) -> dict[str, object]:
    """Return the account to run as: PgBouncer refuses root, and the socket belongs to the account of Postgres."""
    if os.geteuid() != 0:
        return {}
    owner = Path(parse_qs(urlsplit(url).query)["host"][0]).stat()
    for path in (home, *home.iterdir()):
        os.chown(path, owner.st_uid, owner.st_gid)
    return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
