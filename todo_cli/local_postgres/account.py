"""The operating system account that Postgres runs as: Postgres refuses to run as root."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any, NamedTuple

from todo_cli.errors import Unavailable

DEFAULT_ACCOUNT = "todo-postgres"
SHARED_ACCOUNTS = ("root", "nobody")
"""Accounts of other processes too, which could read the passwords and the data."""

_SYSTEM_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_CREATE_COMMANDS = (
    ("useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/bin/false"),
    ("adduser", "-S", "-D", "-H", "-s", "/bin/false"),  # BusyBox
)
_CREATE_ATTEMPTS = 20
_CREATE_RETRY_SECONDS = 0.25


class OsAccount(NamedTuple):
    """The account that Postgres runs as when the command runs as root."""

    name: str
    uid: int
    gid: int


def is_root() -> bool:
    """Return whether this process runs as root."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def account_for(data: Path) -> OsAccount | None:
    """Return the owner of `data`, else TODO_PG_USER, else `todo-postgres`; None if this process is not root.

    The account `todo-postgres` is created if it is missing: it runs nothing else, so that no other process can read
    the passwords. Raises Unavailable if the account does not exist, cannot be created, or is shared.
    """
    if not is_root():
        return None
    if data.is_dir() and (owner := data.stat()).st_uid:
        return OsAccount(f"uid {owner.st_uid}", owner.st_uid, owner.st_gid)
    return new_account()


def new_account() -> OsAccount:
    """Return the account for a new cluster, which is created if need be; raises Unavailable as `account_for` does."""
    name = os.environ.get("TODO_PG_USER") or DEFAULT_ACCOUNT
    account = find_account(name)
    if account is None and name == DEFAULT_ACCOUNT:
        account = _create_account(name)
    if account is None:
        message = f"Postgres does not run as root, and there is no account {name} for it"
        raise Unavailable(message, hint="set TODO_PG_USER to an unprivileged account that runs nothing else")
    if is_shared(account.uid):
        message = f"Postgres must not run as {name}: other processes of this account could read its passwords"
        raise Unavailable(message, hint="set TODO_PG_USER to an account that runs nothing else, or unset it")
    return account


def is_shared(uid: int) -> bool:
    """Return whether the account of this uid runs other processes too."""
    return uid in {account.uid for account in map(find_account, SHARED_ACCOUNTS) if account}


def is_account_missing(data: Path) -> bool:
    """Return whether `account_for` would create an account."""
    name = os.environ.get("TODO_PG_USER") or DEFAULT_ACCOUNT
    return is_root() and name == DEFAULT_ACCOUNT and not data.is_dir() and find_account(name) is None


def find_account(name: str) -> OsAccount | None:
    """Return the account of this name, None if there is none."""
    import pwd

    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return OsAccount(name, entry.pw_uid, entry.pw_gid)


def _create_account(name: str) -> OsAccount | None:
    """Create the system account; None if no program here can. Another command may create it at the same time."""
    import subprocess

    for program, *arguments in _CREATE_COMMANDS:
        path = shutil.which(program, path=_SYSTEM_PATH)
        for _ in range(_CREATE_ATTEMPTS if path else 0):
            subprocess.run([str(path), *arguments, name], capture_output=True, check=False, cwd="/")
            if account := find_account(name):
                return account
            time.sleep(_CREATE_RETRY_SECONDS)  # another process holds the lock of /etc/passwd
    return None


def run_as(
    account: OsAccount | None, directory: Path | None = None, environment: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the arguments of `subprocess` for a program that runs as `account`, in a session of its own.

    A server keeps its environment for life, so it gets none of ours: no PG*, no LD_*, no tokens.
    """
    user = {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}
    own = {"PATH": os.defpath, "LC_ALL": "C"} | (environment or {})
    return {"cwd": directory or "/", "env": own, "start_new_session": True, **user}
