"""What the embedded Postgres stands on: its home, its account, its directories and locks."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from todo_cli.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT = 103 if sys.platform == "darwin" else 107  # sun_path without its final NUL
NO_ROOM = ("No space left on device", "Disk quota exceeded", "File too large", "File size limit exceeded")
SHORT_WRITE = "Check free disk space"  # Postgres's hint; the system gave no error then


def default_home() -> Path:
    """TODO_HOME, else /var/lib/todo as root, else the platform's place for a person's data."""
    if chosen := os.environ.get("TODO_HOME"):
        return Path(chosen).expanduser()
    if is_root():
        return Path("/var/lib/todo")  # root's own home is closed to the account Postgres runs as
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "todo"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "todo"


def is_root() -> bool:
    """Whether we are root, as whom Postgres refuses to run."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


@contextlib.contextmanager
def told(home: Path) -> Iterator[None]:
    """Turn an operating system error about `home` into an Unavailable that says what to do."""
    try:
        yield
    except OSError as error:
        raise failure(f"cannot use {home}", str(error)) from error


def failure(what: str, text: str) -> Unavailable:
    """The error for a failed step: a full disk is named as such, else the last telling line."""
    if any(words in text for words in (*NO_ROOM, SHORT_WRITE)):
        hint = "make room (about 150 MB), or set TODO_HOME to a directory on another disk"
        return Unavailable(f"the disk is full: {what}", hint=hint)
    lines = [line for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if any(word in line for word in ("FATAL", "PANIC", "error:"))]
    why = (telling or lines or ["no reason given"])[-1].strip()[-400:]
    return Unavailable(f"{what}: {why}", hint="TODO_HOME chooses another place for the embedded Postgres")


class Account(NamedTuple):
    """Whom Postgres runs as when we are root."""

    name: str
    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """The owner of `data`, else TODO_PG_USER, `todo` or `nobody`; None when we are not root.

    Raises Unavailable when no such account exists.
    """
    if not is_root():
        return None
    import pwd

    if data.is_dir() and (owner := data.stat()).st_uid:
        return Account(f"uid {owner.st_uid}", owner.st_uid, owner.st_gid)
    chosen = os.environ.get("TODO_PG_USER")
    for name in [chosen] if chosen else ["todo", "nobody"]:
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            if found.pw_uid:
                return Account(name, found.pw_uid, found.pw_gid)
    missing = f"Postgres does not run as root, and there is no account {chosen or 'todo or nobody'} for it"
    raise Unavailable(missing, hint="set TODO_PG_USER to an existing unprivileged account")


def lowered(account: Account | None) -> dict[str, Any]:
    """Arguments for subprocess: as `account`, in a session and an environment of its own."""
    person = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    # A daemon keeps its environment for life: no PG*, no LD_*, and no tokens either.
    return {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}, "start_new_session": True, **person}


def make_home(home: Path, account: Account | None) -> None:
    """Make `home` and its missing parents; as root check that `account` can enter. Raises Unavailable."""
    for part in reversed([p for p in (home, *home.parents) if not p.exists()]):
        with contextlib.suppress(FileExistsError):
            part.mkdir()
            part.chmod(0o755 if account else 0o700)  # whatever the umask; only what we made
    if not home.is_dir():
        raise NotADirectoryError(f"{home} is no directory")
    if account and not _can_enter(home, account):
        raise Unavailable(
            f"Postgres runs as {account.name}, who cannot enter {home}: it or a directory above it is closed",
            hint="set TODO_HOME to a directory that is open to others (o+x) all the way down",
        )


def _can_enter(home: Path, account: Account) -> bool:
    import subprocess

    command = ["/bin/sh", "-c", 'cd -- "$1"', "sh", str(home)]  # asked, not computed: there are ACLs
    return not subprocess.run(command, stderr=subprocess.DEVNULL, check=False, **lowered(account)).returncode


def private_directory(path: Path, account: Account | None) -> None:
    """Make `path` for the server's account alone. Raises Unavailable if it is somebody else's."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
    found = path.lstat()
    if account and found.st_uid == 0 and stat.S_ISDIR(found.st_mode):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)
        found = path.lstat()
    owner = account.uid if account else os.geteuid()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        detail = f"{path} belongs to somebody else or is open to others, so no socket is put there"
        raise Unavailable(detail, hint="remove it, or set TODO_HOME to a shorter path")


def socket_dir_for(home: Path, account: Account | None) -> Path:
    """`home`/run, or a directory named by a hash where that path would be too long for a socket."""
    near = home / "run"
    if _fits(near):
        return near
    import hashlib
    import tempfile

    name = f"todo-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}"
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    # As root our own temporary directories are closed to the account that makes the socket.
    near_by = [] if account else [runtime, tempfile.gettempdir()]
    places = [Path(place, name) for place in [*near_by, "/tmp"] if os.path.isdir(place)]  # noqa: S108 (checked in private_directory)
    return next((place for place in places if _fits(place)), places[-1])


def _fits(directory: Path) -> bool:
    """Whether a socket there has a short enough path that needs no quoting for the server or libpq."""
    short = len(os.fsencode(directory / SOCKET_NAME)) <= SOCKET_PATH_LIMIT
    return short and not set(str(directory)) & set(",'\"\\")


def remove(path: Path) -> None:
    """Remove a directory and all in it, also while killed processes still end in it. Raises Unavailable."""
    import shutil

    for _ in range(40):
        shutil.rmtree(path, ignore_errors=True)
        if not os.path.lexists(path):
            return
        time.sleep(0.05)
    raise Unavailable(f"cannot remove {path}", hint="see who owns it and what is in it")


def flush(path: Path) -> None:
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


@contextlib.contextmanager
def locked(path: Path, patience: float | None = None) -> Iterator[int]:
    """Hold an exclusive lock on the file `path`; a child that inherits the descriptor holds it on.

    Raises Unavailable after `patience` seconds (None waits for ever), and where there is no flock.
    """
    fd = _open_locked(path, None if patience is None else time.monotonic() + patience)
    try:
        yield fd
    finally:
        os.close(fd)


def _open_locked(path: Path, deadline: float | None) -> int:
    try:
        import fcntl
    except ImportError as error:
        hint = "sign in to a server, or give the URL of a Postgres of your own"
        raise Unavailable("the embedded Postgres needs Linux or macOS", hint=hint) from error
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX if deadline is None else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(fd, path):
                return fd  # else a `destroy` has removed the file that we waited for
        except BlockingIOError:
            if deadline is not None and time.monotonic() > deadline:
                os.close(fd)
                detail = f"processes of an earlier Postgres still run in {path.parent}"
                raise Unavailable(detail, hint="wait for them or end them, then try again") from None
            time.sleep(0.05)
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)


def _is_at(fd: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(fd), path.stat())
    return False


def write_once(path: Path, account: Account | None) -> None:
    """Write a new random password into `path`, unless another was quicker; for `account`, or us, alone."""
    import secrets

    mine = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    fd = os.open(mine, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(24))
            file.flush()
            os.fsync(fd)
        if account:
            os.chown(mine, account.uid, account.gid)
        with contextlib.suppress(FileExistsError):
            os.link(mine, path)  # whole or not there, for all who read it at the same time
    finally:
        mine.unlink()


def size_on_disk(top: Path) -> int:
    """Bytes in all files under `top`."""
    size = 0
    for folder, _, names in os.walk(top):
        for name in names:
            with contextlib.suppress(OSError):
                size += os.lstat(os.path.join(folder, name)).st_size
    return size
