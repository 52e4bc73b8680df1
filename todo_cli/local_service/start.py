"""Start the local service from a command, which waits for it only where its token needs a server."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress

from todo_cli.errors import Unavailable
from todo_cli.local_service.places import STARTED_FILE, find_socket, make_private_directory, service_directory
from todo_cli.settings.settings import Settings

START_INTERVAL_SECONDS = 10.0
"""At most one command starts a service in this time, also where the service fails to start."""
MAX_WAIT_SECONDS = 10.0
POLL_INTERVAL_SECONDS = 0.02
MAX_LOG_BYTES = 1_000_000
"""A longer log is emptied at the next start."""
OWN_VARIABLES = {"TODO_TOKEN", "TODO_SERVER", "TODO_DATABASE_URL", "TODO_SPACE", "TODO_TIMEZONE", "TODO_TIMEOUT"}
"""Variables that concern one command."""


def start_in_background(settings: Settings, *, is_forced: bool = False) -> None:
    """Start a service for later commands, unless another command did so a moment ago. It never waits or fails.

    With `is_forced` a start a moment ago does not count.
    """
    home = settings.embedded or ""
    directory = service_directory(home)
    with suppress(OSError, ImportError):  # a read-only directory, a full table of processes, a system without flock
        make_private_directory(directory)
        if sys.executable:
            _start_once(settings, directory, is_forced=is_forced)


def wait_for_service(settings: Settings) -> None:
    """Wait until a started service listens; raises Unavailable if none does in time."""
    seconds = min(MAX_WAIT_SECONDS, settings.timeout)
    deadline = time.monotonic() + seconds
    home = settings.embedded or ""
    while find_socket(home, settings.path) is None:
        if time.monotonic() > deadline:
            log = os.path.join(service_directory(home), "service.log")
            raise Unavailable(
                f"this token needs the local service, which did not start in {seconds:g} s",
                hint=f"see its log: {log}",
            )
        time.sleep(POLL_INTERVAL_SECONDS)


def _start_once(settings: Settings, directory: str, *, is_forced: bool) -> None:
    """Start a service and note its process id, unless another command does so or did so a moment ago."""
    import fcntl

    fd = os.open(os.path.join(directory, STARTED_FILE), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(fd)
        is_recent = status.st_size > 0 and abs(time.time() - status.st_mtime) < START_INTERVAL_SECONDS
        if is_forced or not is_recent:
            pid = _spawn(settings, os.path.join(directory, "service.log"))
            os.pwrite(fd, f"{pid}\n".encode(), 0)
    finally:
        os.close(fd)


def _spawn(settings: Settings, log: str) -> int:
    with suppress(FileNotFoundError):
        if os.stat(log).st_size > MAX_LOG_BYTES:
            os.truncate(log, 0)
    command = service_command(settings.profile)
    null_device = (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    no_output = (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)
    to_log = (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.posix_spawn(
        command[0], command, _service_environment(settings), file_actions=[null_device, no_output, to_log], setsid=True
    )


def service_command(profile: str) -> list[str]:
    """Return the command line of the service: -P keeps the directory of the command off the path of modules."""
    return [sys.executable, "-P", "-m", "todo_cli.main", "--profile", profile, "serve", "--local"]


def _service_environment(settings: Settings) -> dict[str, str]:
    """Return this command's environment without what concerns it alone: the service keeps it for life."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in OWN_VARIABLES and not name.startswith(("PG", "_TODO"))
    }
    return environment | {"TODO_CONFIG": os.path.abspath(settings.path)}
