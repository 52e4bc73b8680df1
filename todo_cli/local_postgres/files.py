"""The directories and files of the local Postgres: where they are, who may read them, and how they are removed."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from todo_cli.errors import Unavailable
from todo_cli.local_postgres.account import OsAccount, account_for, is_root, is_shared, new_account, run_as
from todo_cli.local_postgres.trust import require_trusted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOCKET_NAME = ".s.PGSQL.5432"
MAX_SOCKET_PATH_BYTES = 103 if sys.platform == "darwin" else 107  # sun_path without its final NUL
MAX_REASON_CHARS = 400
MAX_REMOVE_ATTEMPTS = 40
DISK_FULL_MESSAGES = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "File size limit exceeded",
    "Check free disk space",  # Postgres's own hint, where the system reports no error
)


def default_home() -> Path:
    """Return TODO_HOME, else /var/lib/todo for root, else the platform's directory for user data."""
    if home := os.environ.get("TODO_HOME"):
        return Path(home).expanduser()
    if is_root():
        return Path("/var/lib/todo")  # Postgres's account cannot enter root's own home
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "todo"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "todo"


@contextlib.contextmanager
def translate_os_errors(home: Path) -> Iterator[None]:
    """Turn an OSError about `home` into an Unavailable with a hint."""
    try:
        yield
    except OSError as error:
        raise failure(f"cannot use {home}", str(error)) from error


def failure(message: str, output: str) -> Unavailable:
    """Return the error for a failed step, with the reason that `output` gives. A full disk has its own hint."""
    if any(text in output for text in DISK_FULL_MESSAGES):
        hint = "make room (about 150 MB), or set TODO_HOME to a directory on another disk"
        return Unavailable(f"the disk is full: {message}", hint=hint)
    lines = [line for line in output.splitlines() if line.strip()]
    error_lines = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:"))]
    reason = (error_lines or lines or ["no reason given"])[-1].strip()[-MAX_REASON_CHARS:]
    return Unavailable(f"{message}: {reason}", hint="set TODO_HOME to use another directory for the local Postgres")


def make_home(home: Path, account: OsAccount | None) -> None:
    """Create `home` and its missing parents; raises Unavailable if `account` cannot enter it, or root not trust it."""
    require_trusted(home)
    for directory in reversed([path for path in (home, *home.parents) if not path.exists()]):
        with contextlib.suppress(FileExistsError):
            directory.mkdir()
            directory.chmod(0o755 if account else 0o700)  # whatever the umask
    if not home.is_dir():
        raise NotADirectoryError(f"{home} is not a directory")
    require_trusted(home)  # again: in a sticky directory somebody else may have created it first
    if account and not _can_enter(home, account):
        raise Unavailable(
            f"Postgres runs as {account.name}, which cannot enter {home}: it or a directory above it is closed",
            hint="set TODO_HOME to a directory that is open to others (o+x) all the way down",
        )


def _can_enter(home: Path, account: OsAccount) -> bool:
    import subprocess

    # tried, not computed from the modes: there may be access control lists
    command = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(home)]
    return not subprocess.run(command, stderr=subprocess.DEVNULL, check=False, **run_as(account)).returncode


def make_private_directory(path: Path, account: OsAccount | None) -> None:
    """Create `path` for the server's account alone; raises Unavailable if it belongs to another account."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    owner = account.uid if account else os.geteuid()
    try:
        # All on one descriptor, so that nobody can exchange the directory between the check and the change.
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise _not_private(path) from None
    try:
        if account and os.fstat(fd).st_uid == 0:
            os.fchown(fd, account.uid, account.gid)
        status = os.fstat(fd)
    finally:
        os.close(fd)
    if status.st_uid != owner or status.st_mode & 0o077:
        raise _not_private(path)


def _not_private(path: Path) -> Unavailable:
    message = f"{path} belongs to another account or is open to others, so no socket is created there"
    return Unavailable(message, hint="remove it, or set TODO_HOME to a shorter path")


def leave_shared_account(data: Path, paths: Iterable[Path]) -> None:
    """Give a cluster that runs as `nobody`, as the first versions created it, to an account of its own."""
    if (owner := account_for(data)) and is_shared(owner.uid):
        own = new_account()
        for path in filter(os.path.lexists, paths):
            give_to(path, own)


def give_to(top: Path, account: OsAccount) -> None:
    """Make `account` the owner of a file or tree, without following links."""
    os.chown(top, account.uid, account.gid, follow_symlinks=False)
    if os.path.islink(top):
        return
    for _, folders, names, folder_fd in os.fwalk(top, follow_symlinks=False):
        for name in (*folders, *names):
            os.chown(name, account.uid, account.gid, dir_fd=folder_fd, follow_symlinks=False)


def socket_directory(home: Path) -> Path:
    """Return `home`/run, or a directory named by a hash if that path is too long for a socket."""
    preferred = home / "run"
    if _fits_socket(preferred):
        return preferred
    import hashlib
    import tempfile

    name = f"todo-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"
    # root's own temporary directories are closed to the account that creates the socket
    own = [] if is_root() else [os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()]
    parents = [parent for parent in [*own, "/tmp"] if os.path.isdir(parent)]  # noqa: S108  # see make_private_directory
    directories = [Path(parent, name) for parent in parents]
    return next((directory for directory in directories if _fits_socket(directory)), directories[-1])


def _fits_socket(directory: Path) -> bool:
    """Return whether a socket's path there is short enough and needs no quoting for the server or libpq."""
    is_short = len(os.fsencode(directory / SOCKET_NAME)) <= MAX_SOCKET_PATH_BYTES
    return is_short and not set(str(directory)) & set(",'\"\\")


def remove_directory(path: Path) -> None:
    """Remove a directory tree, even while killed processes still end in it; raises Unavailable."""
    import shutil

    for _ in range(MAX_REMOVE_ATTEMPTS):
        shutil.rmtree(path, ignore_errors=True)
        if not os.path.lexists(path):
            return
        time.sleep(0.05)
    raise Unavailable(f"cannot remove {path}", hint="check who owns it and its content")


def flush_file_system(path: Path) -> None:
    """Wait until everything on the file system of `path` is on the disk."""
    if sys.platform != "linux":
        os.sync()
        return
    import ctypes

    fd = os.open(path, os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).syncfs(fd):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))
    finally:
        os.close(fd)


def write_new_password(path: Path, account: OsAccount | None) -> None:
    """Write a random password into `path` for one reader, unless another process has already done so."""
    import secrets

    new_file = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fd = os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(24))
            file.flush()
            os.fsync(fd)
            if account:
                os.fchown(fd, account.uid, account.gid)
        with contextlib.suppress(FileExistsError):
            os.link(new_file, path)  # concurrent readers see the whole file or none
    finally:
        new_file.unlink()


def old_data(data: Path) -> Path:
    """Return the directory of the former data while an upgrade to another major version is unfinished."""
    return data.with_name("pgdata.old")


def restore_old_data(data: Path) -> None:
    """Bring the old data back where an upgrade was killed between its two renames. Call this under the lock."""
    if not data.exists() and old_data(data).exists():
        old_data(data).rename(data)


def size_on_disk(top: Path) -> int:
    """Return the bytes of all files under `top`."""
    size = 0
    for folder, _, names in os.walk(top):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(folder, name)).st_size
    return size
