"""The operating system account that Postgres runs as: Postgres refuses to run as root."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from todo_cli.errors import Unavailable

DEFAULT_ACCOUNTS = ("todo", "nobody")


class OsAccount(NamedTuple):
    """The account that Postgres runs as when the command runs as root."""

    name: str
    uid: int
    gid: int


def is_root() -> bool:
    """Return whether this process runs as root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def account_for(data: Path) -> OsAccount | None:
    """Return the owner of `data`, else TODO_PG_USER, `todo` or `nobody`; None if this process is not root.

    Raises Unavailable if no such account exists.
    """
    if not is_root():
        return None
    import pwd

    if data.is_dir() and (owner := data.stat()).st_uid:
        return OsAccount(f"uid {owner.st_uid}", owner.st_uid, owner.st_gid)
    chosen = os.environ.get("TODO_PG_USER")
    for name in [chosen] if chosen else DEFAULT_ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            if entry.pw_uid:
                return OsAccount(name, entry.pw_uid, entry.pw_gid)
    missing = chosen or " or ".join(DEFAULT_ACCOUNTS)
    message = f"Postgres does not run as root, and there is no account {missing} for it"
    raise Unavailable(message, hint="set TODO_PG_USER to an existing unprivileged account")


def run_as(account: OsAccount | None) -> dict[str, Any]:
    """Return the arguments of `subprocess` for a program that runs as `account`, in a session of its own.

    A server keeps its environment for life, so it gets none of ours: no PG*, no LD_*, no tokens.
    """
    user = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    return {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}, "start_new_session": True, **user}
