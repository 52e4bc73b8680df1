"""The server process of the local Postgres: whether it lives, with which settings it runs, how it starts."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from todo_cli.errors import Unavailable
from todo_cli.local_postgres.files import SOCKET_NAME, failure, make_private_directory, socket_directory

if TYPE_CHECKING:
    from todo_cli.local_postgres.binaries import Binaries

RECOVERY_TIMEOUT_SECONDS = 60
POLL_INTERVAL_SECONDS = 0.05

SHARED_RIGHTS = (
    "REVOKE CONNECT, TEMPORARY ON DATABASE postgres, template1 FROM PUBLIC",
    "REVOKE EXECUTE ON FUNCTION lo_create(oid), lo_creat(int), lo_from_bytea(oid, bytea) FROM PUBLIC",
)
"""Rights that Postgres gives to everybody, and that direct logins do not need."""

# no parallel workers: /dev/shm is 64 MB in containers; no checkpoints in the log: nothing rotates it
SERVER_SETTINGS = """\
include '{data}/postgresql.conf'
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
max_parallel_workers_per_gather = 0
timezone = 'UTC'
log_timezone = 'UTC'
log_statement = none
log_min_error_statement = panic
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
log_checkpoints = off
"""
LINUX_SETTINGS = "recovery_init_sync_method = syncfs\n"  # after a crash 0.3 s, against 4 s file by file


class LocalPostgresStatus(NamedTuple):
    """The state that `todo doctor` prints. `size` is in bytes on the disk."""

    home: Path
    exists: bool
    running: int | None
    version: str
    socket_dir: Path
    size: int


class PidFile(NamedTuple):
    """The content of postmaster.pid. `is_ready` means that the server accepts connections."""

    pid: int
    is_ready: bool


def read_pid_file(data: Path) -> PidFile | None:
    """Return the postmaster.pid in `data`, if any. Its process may have ended."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    return PidFile(pid, len(lines) > 7 and lines[7].strip() == "ready") if pid > 0 else None


def is_postgres(pid: int, data: Path) -> bool:
    """Return whether `pid` is a living Postgres that serves `data`: no zombie, and no later process of that number."""
    if sys.platform != "linux":
        return _is_postgres_by_ps(pid, data)
    proc = Path("/proc", str(pid))
    try:
        head, _, tail = (proc / "stat").read_text(errors="replace").rpartition(")")
        if tail.split()[0] in "ZX" or not head.endswith("(postgres"):
            return False
        try:
            return (proc / "cwd").samefile(data)
        except PermissionError:  # root in a container without CAP_SYS_PTRACE
            return os.fsencode(data) in (proc / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


def end_server(data: Path) -> None:
    """End the server of a cluster at once, if one runs: that of a killed upgrade, whose data is thrown away."""
    pid_file = read_pid_file(data)
    if pid_file and is_postgres(pid_file.pid, data):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid_file.pid, signal.SIGQUIT)


def _is_postgres_by_ps(pid: int, data: Path) -> bool:
    import subprocess

    command = ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    state, _, command_line = output.strip().partition(" ")
    return bool(state) and "Z" not in state and f"-D {data}" in command_line


def has_process(pid: int) -> bool:
    """Return whether any process has this pid, a zombie included. Postgres then takes its lock files for valid."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def read_socket_directory(settings: Path) -> Path | None:
    """Return the directory of the socket in the settings of the last start."""
    with contextlib.suppress(OSError):
        for line in os.fsdecode(settings.read_bytes()).splitlines():
            if line.startswith("unix_socket_directories"):
                return Path(line.split("'")[1])
    return None


def wait_until_stable(data: Path) -> None:
    """Wait while the server is starting or stopping, perhaps for a command that was killed; raises Unavailable."""
    deadline = time.monotonic() + RECOVERY_TIMEOUT_SECONDS
    while (pid_file := read_pid_file(data)) and not pid_file.is_ready and is_postgres(pid_file.pid, data):
        if time.monotonic() > deadline:
            raise _recovering(data)
        time.sleep(POLL_INTERVAL_SECONDS)


def start_server(binaries: Binaries, data: Path, settings: Path, alive_lock: int) -> None:
    """Start a server that inherits `alive_lock`, and wait until it accepts connections; raises Unavailable."""
    import shlex

    _remove_stale_locks(data, _write_settings(binaries, data, settings) / SOCKET_NAME)
    log = data / "server.log"
    old_log_size = log.stat().st_size if log.exists() else 0
    options = f"-c config_file={shlex.quote(str(settings))}"
    code, output = binaries.pg_ctl(data, "-l", str(log), "-o", options, "start", inherited_fd=alive_lock)
    if code and (pid_file := read_pid_file(data)) and is_postgres(pid_file.pid, data):
        raise _recovering(data)
    if code:
        new_log = log.read_bytes()[old_log_size:].decode(errors="replace") if log.exists() else ""
        raise failure(f"Postgres in {data} did not start", new_log or output)


def _write_settings(binaries: Binaries, data: Path, settings: Path) -> Path:
    sockets = socket_directory(data.parent)
    make_private_directory(sockets, binaries.account)
    text = SERVER_SETTINGS.format(data=str(data).replace("'", "''"), sockets=sockets)
    settings.write_bytes(os.fsencode(text + (LINUX_SETTINGS if sys.platform == "linux" else "")))
    settings.chmod(0o644)  # the server's account reads it
    return sockets


def _remove_stale_locks(data: Path, socket: Path) -> None:
    """Remove lock files that name a zombie or another process: Postgres would take either for a living server.

    A pid without a process is left to Postgres, whose own check is more thorough.
    """
    pid_file = read_pid_file(data)
    if pid_file and has_process(pid_file.pid):
        for path in (data / "postmaster.pid", socket.with_name(f"{SOCKET_NAME}.lock"), socket):
            path.unlink(missing_ok=True)


def create_database(owner_url: str, name: str) -> None:
    """Create the database if it is missing, and take needless rights from direct logins; raises Unavailable."""
    import psycopg
    from psycopg import sql

    try:
        with psycopg.connect(owner_url, autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        for database in ("template1", name):
            with psycopg.connect(owner_url, dbname=database) as connection:
                for statement in SHARED_RIGHTS:
                    connection.execute(statement)
    except psycopg.Error as error:
        raise failure(f"cannot create the database {name}", str(error)) from error


def _recovering(data: Path) -> Unavailable:
    return Unavailable(f"Postgres in {data} is still recovering", hint="try again in a minute")
