"""The server process of the embedded Postgres: whether it lives, with what settings, how it starts."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from todo_cli.errors import Unavailable
from todo_cli.local_postgres.files import SOCKET_NAME, failure, private_directory, socket_dir_for

if TYPE_CHECKING:
    from todo_cli.local_postgres.binaries import Binaries

RECOVERY_SECONDS = 60

SETTINGS = """\
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
"""  # no parallel workers: /dev/shm is 64 MB in containers; no checkpoints: nobody rotates this log
QUICK_RECOVERY = "recovery_init_sync_method = syncfs\n"  # after a crash 0.3 s, instead of 4 s file by file


class PidFile(NamedTuple):
    """What Postgres writes into postmaster.pid."""

    pid: int
    ready: bool


def read_pid_file(data: Path) -> PidFile | None:
    """The postmaster that `data` names, dead or alive; None when there is none."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        pid = int(lines[0])
    except (OSError, ValueError, IndexError):
        return None
    return PidFile(pid, len(lines) > 7 and lines[7].strip() == "ready") if pid > 0 else None


def serves(pid: int, data: Path) -> bool:
    """Whether `pid` is a living Postgres in `data`: no zombie, and not whoever got its number since."""
    if sys.platform != "linux":
        return _serves_by_ps(pid, data)
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


def _serves_by_ps(pid: int, data: Path) -> bool:
    import subprocess

    command = ["ps", "-ww", "-o", "stat=,command=", "-p", str(pid)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    state, _, line = said.strip().partition(" ")
    return bool(state) and "Z" not in state and f"-D {data}" in line


def has_process(pid: int) -> bool:
    """Whether any process, a zombie too, has this pid: then Postgres takes its lock files for living."""
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


def configured_sockets(settings: Path) -> Path | None:
    """Where the server that was last started with `settings` listens."""
    with contextlib.suppress(OSError):
        for line in os.fsdecode(settings.read_bytes()).splitlines():
            if line.startswith("unix_socket_directories"):
                return Path(line.split("'")[1])
    return None


def settle(data: Path) -> None:
    """Wait while a server is neither up nor down: who began it may have been ended. Raises Unavailable."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while (found := read_pid_file(data)) and not found.ready and serves(found.pid, data):
        if time.monotonic() > deadline:
            raise _recovering(data)
        time.sleep(0.05)


def launch(tools: Binaries, data: Path, settings: Path, alive: int) -> None:
    """Start a server that keeps the lock `alive`, and wait until it is up. Raises Unavailable."""
    import shlex

    _remove_stale_locks(data, _write_settings(tools, data, settings) / SOCKET_NAME)
    log = data / "server.log"
    before = log.stat().st_size if log.exists() else 0
    options = f"-c config_file={shlex.quote(str(settings))}"
    code, text = tools.pg_ctl(data, "-l", str(log), "-o", options, "start", keep=alive)
    if code and (found := read_pid_file(data)) and serves(found.pid, data):
        raise _recovering(data)
    if code:
        said = log.read_bytes()[before:].decode(errors="replace") if log.exists() else ""
        raise failure(f"Postgres in {data} did not start", said or text)


def _write_settings(tools: Binaries, data: Path, settings: Path) -> Path:
    sockets = socket_dir_for(data.parent, tools.account)
    private_directory(sockets, tools.account)
    text = SETTINGS.format(data=str(data).replace("'", "''"), sockets=sockets)
    settings.write_bytes(os.fsencode(text + (QUICK_RECOVERY if sys.platform == "linux" else "")))
    settings.chmod(0o644)  # the server's account reads it
    return sockets


def _remove_stale_locks(data: Path, socket: Path) -> None:
    """Remove lock files that name a zombie or a stranger: Postgres would take either for a living server.

    A number that nobody has is left to Postgres, which looks further than we do.
    """
    found = read_pid_file(data)
    if found and has_process(found.pid):
        for path in (data / "postmaster.pid", socket.with_name(f"{SOCKET_NAME}.lock"), socket):
            path.unlink(missing_ok=True)


def _recovering(data: Path) -> Unavailable:
    return Unavailable(f"Postgres in {data} is still recovering", hint="try again in a minute")
