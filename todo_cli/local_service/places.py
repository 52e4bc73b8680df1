"""Where the local service of a list listens, and whether this process may use the socket there.

Beside the data of the local Postgres, in `service/` (mode 0700):

    <version>-<schema>.sock    the socket (elsewhere if that path is too long for a socket)
    .started                   the process id of the last service that a command started
    .start                     held by the process that is about to be the service
    .alive                     held by the living service, with its process id
    model                      a digest of the model of its turns
    service.log                errors of the service

Each release has a socket of its own, so that a command never talks to a service of another release. Commands import
this module on their way to a task, so it imports as little as possible.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from todo_cli import __version__
from todo_cli.db.schema_version import SCHEMA_VERSION

if TYPE_CHECKING:
    from todo_cli.settings.settings import Settings

MAX_SOCKET_PATH_BYTES = 103  # the shortest limit of the systems that have unix sockets
STARTED_FILE = ".started"
SOCKET_NAME = f"{__version__}-{SCHEMA_VERSION}.sock"


def service_directory(home: str) -> str:
    """Return the directory of the service of the list in `home`."""
    return os.path.join(home, "service")


def socket_directory(home: str) -> str:
    """Return the directory of its socket: a directory of a short name where the path would be too long.

    The name depends on `home` alone, so that a cron job with a bare environment finds the same socket.
    """
    directory = service_directory(home)
    if len(os.fsencode(os.path.join(directory, f"{SOCKET_NAME}.new"))) <= MAX_SOCKET_PATH_BYTES:
        return directory
    import hashlib

    return f"/tmp/todo-service-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"  # noqa: S108  # see is_private


def socket_path(home: str) -> str:
    """Return the path of the socket of this release."""
    return os.path.join(socket_directory(home), SOCKET_NAME)


def is_private(directory: str) -> bool:
    """Return whether the directory belongs to this account alone: whoever listens in it may receive tokens."""
    try:
        status = os.lstat(directory)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def find_socket(home: str, config: os.PathLike[str]) -> str | None:
    """Return the socket of a service that has read the current configuration, None if there is none.

    The time of the socket is that of the configuration which the service has read. The process behind the socket may
    have ended, or may hang: only an answer shows that it lives.
    """
    path = socket_path(home)
    if not is_private(os.path.dirname(path)):
        return None
    try:
        read_at = os.stat(path).st_mtime_ns
    except OSError:
        return None
    return path if read_change_time(config) <= read_at else None


def read_change_time(config: os.PathLike[str]) -> int:
    """Return when the configuration was changed, 0 where all settings come from the environment."""
    try:
        return os.stat(config).st_mtime_ns
    except OSError:
        return 0


def make_private_directory(directory: str) -> None:
    """Create the directory if it is missing; raises OSError unless it then belongs to this account alone."""
    with suppress(FileExistsError):
        os.mkdir(directory, 0o700)
    if not is_private(directory):
        raise PermissionError(f"{directory} belongs to another account or is open to others")


def uses_local_service(settings: Settings) -> bool:
    """Return whether the profile has a local list with a service, and nothing names another way."""
    is_local = settings.embedded is not None and not settings.server
    return is_local and settings.service and "TODO_DATABASE_URL" not in os.environ


def address_service(settings: Settings) -> Settings:
    """Return the settings of an HTTP client of the local service."""
    return settings.replace(server=f"unix://{socket_path(settings.embedded or '')}")
