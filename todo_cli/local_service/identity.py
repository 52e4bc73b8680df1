"""Which process is the local service of a list, and how much memory it has."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

MAX_PID_BYTES = 20


def find_service_process(alive_file: Path) -> int | None:
    """Return the process id of the service that holds the lock `alive_file`, None if none does.

    A number that another process has by now is not the service's.
    """
    try:
        import fcntl

        fd = os.open(alive_file, os.O_RDWR | os.O_NOFOLLOW)
    except (OSError, ImportError):
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _parse_pid(os.pread(fd, MAX_PID_BYTES, 0))
    finally:
        os.close(fd)
    return None


def find_started_process(started_file: Path) -> int | None:
    """Return the process id of the service that a command started, None if it has ended."""
    try:
        return _parse_pid(started_file.read_bytes())
    except OSError:
        return None


def _parse_pid(text: bytes) -> int | None:
    """Return the process id in a file if the process is a service."""
    digits = text.split(b"\n")[0]
    return int(digits) if digits.isdigit() and _is_service(int(digits)) else None


def _is_service(pid: int) -> bool:
    if sys.platform == "linux":
        try:
            words = Path("/proc", str(pid), "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
    else:
        words = [os.fsencode(word) for word in _ask_ps(pid, "command").split()]
    return b"serve" in words and b"--local" in words


def read_memory(pid: int) -> int | None:
    """Return the bytes of memory that a process occupies, None where the system does not report it."""
    with suppress(OSError, ValueError, IndexError):
        if sys.platform == "linux":
            pages = Path("/proc", str(pid), "statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        return int(_ask_ps(pid, "rss")) * 1024
    return None


def _ask_ps(pid: int, column: str) -> str:
    command = ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
