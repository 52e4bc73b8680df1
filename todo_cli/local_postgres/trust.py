"""Refuse, as root, a path that somebody else could replace: a link made beforehand would give root's files away."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from todo_cli.errors import Unavailable
from todo_cli.local_postgres.account import is_root

MAX_LINKS = 40


def require_trusted(path: Path) -> None:
    """Raise Unavailable if this process is root, and another account owns or may write `path` or a parent of it.

    Links on the way are followed if they are root's. A directory that everybody may write, as /tmp, is fine if it is
    sticky and the next part of the path is root's, because nobody else can then replace that part. A missing part is
    fine; create it and check again.
    """
    if is_root():
        _walk(Path(os.path.abspath(path)), path)


def _walk(path: Path, named: Path) -> None:
    remaining = list(path.parts[:0:-1])
    place = Path(path.anchor)
    links = 0
    while True:
        status = os.lstat(place)
        if stat.S_ISLNK(status.st_mode):
            if status.st_uid or (links := links + 1) > MAX_LINKS:
                raise _refusal(named, place, "is a link of another account")
            target = os.path.normpath(place.parent / os.readlink(place))
            remaining += list(Path(target).parts[:0:-1])
            place = Path("/")
            continue
        if status.st_uid:
            raise _refusal(named, place, f"belongs to {_account_name(status.st_uid)}")
        is_sticky = status.st_mode & stat.S_ISVTX and remaining
        if status.st_mode & 0o022 and not is_sticky:
            raise _refusal(named, place, "can be written by others")
        if not remaining:
            return
        place /= remaining.pop()
        if not os.path.lexists(place):
            return


def _account_name(uid: int) -> str:
    import pwd

    try:
        return f"the account {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the account {uid}"


def _refusal(named: Path, place: Path, reason: str) -> Unavailable:
    return Unavailable(
        f"root does not use {named}: {place} {reason}",
        hint="run todo as the user whose list it is, or choose a directory that only root can change",
    )
