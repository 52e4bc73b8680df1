"""Exclusive locks on files, which a child process keeps by inheriting the descriptor."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from todo_cli.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

POLL_INTERVAL_SECONDS = 0.05


@contextlib.contextmanager
def lock_file(path: Path, timeout: float | None = None) -> Iterator[int]:
    """Hold an exclusive lock on the file `path`. A child that inherits the descriptor holds it too.

    Raises Unavailable after `timeout` seconds (None waits forever), and on systems without flock.
    """
    fd = _open_locked(path, None if timeout is None else time.monotonic() + timeout)
    try:
        yield fd
    finally:
        os.close(fd)


def _open_locked(path: Path, deadline: float | None) -> int:
    try:
        import fcntl
    except ImportError as error:
        hint = "sign in to a server, or give the URL of a Postgres of your own"
        raise Unavailable("the local Postgres needs Linux or macOS", hint=hint) from error
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if deadline is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_open_file(fd, path):
                return fd  # otherwise `destroy` removed the file while this process waited for it
        except BlockingIOError:
            if deadline is not None and time.monotonic() > deadline:
                os.close(fd)
                message = f"processes of an earlier start still run in {path.parent}"
                raise Unavailable(message, hint="wait for them or end them, then try again") from None
            time.sleep(POLL_INTERVAL_SECONDS)
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _is_open_file(fd: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(fd), path.stat())
    return False
