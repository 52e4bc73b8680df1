"""On this machine: root trusts no path that others can change, and Postgres has an account of its own."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Todo
from tests.support.attacker import ATTACKER_UID, as_attacker
from todo_cli.errors import Unavailable
from todo_cli.local_postgres.account import DEFAULT_ACCOUNT, find_account, is_root
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.server.sockets import listen, release
from todo_cli.settings.urls import sends_in_clear

only_root = pytest.mark.skipif(not is_root(), reason="only root changes account")


@pytest.fixture
def top() -> Iterator[Path]:
    """A directory of root's that everybody may enter, below the sticky /tmp."""
    with tempfile.TemporaryDirectory(prefix="todo-test-", dir="/tmp") as name:
        os.chmod(name, 0o755)
        yield Path(name)


def make_link(top: Path) -> Path:
    """A link that the attacker put where root's list was to be."""
    (top / "target").mkdir()
    (top / "home").symlink_to(top / "target")
    os.lchown(top / "home", ATTACKER_UID, ATTACKER_UID)
    return top / "home"


def make_foreign(top: Path) -> Path:
    """A directory that the attacker created first."""
    (top / "home").mkdir()
    os.chown(top / "home", ATTACKER_UID, ATTACKER_UID)
    return top / "home"


def make_open(top: Path) -> Path:
    """A directory of root's that everybody may write."""
    (top / "home").mkdir()
    (top / "home").chmod(0o777)
    return top / "home"


def make_open_parent(top: Path) -> Path:
    """A home whose parent everybody may write, so that they can exchange it."""
    home = make_open(top) / "list"
    home.mkdir()
    return home


def make_foreign_parent(top: Path) -> Path:
    """A home below a directory of the attacker."""
    return make_foreign(top) / "list"


def make_sticky(top: Path) -> Path:
    """A home that is itself a sticky directory which everybody may write, as /tmp."""
    home = make_open(top)
    home.chmod(0o1777)
    return home


@only_root
@pytest.mark.parametrize(
    "make", [make_link, make_foreign, make_open, make_open_parent, make_foreign_parent, make_sticky]
)
def test_init_as_root_in_a_place_that_others_can_change_is_refused(top: Path, make: object) -> None:
    home = make(top)  # type: ignore[operator]
    owners = {path: path.lstat().st_uid for path in top.rglob("*")}
    with pytest.raises(Unavailable, match="root does not use") as caught:
        LocalPostgres(home).ensure()
    assert "only root can change" in caught.value.hint
    assert {path: path.lstat().st_uid for path in top.rglob("*")} == owners, "nothing was created or given away"


@only_root
def test_links_of_root_are_followed(top: Path) -> None:
    (top / "real").mkdir()
    (top / "home").symlink_to("real")
    assert LocalPostgres(top / "home" / "list").home == top / "real" / "list"


@only_root
def test_programs_of_another_account_are_not_run(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs, proof = make_foreign(top), top / "proof"
    for name in ("initdb", "pg_ctl", "postgres"):
        (programs / name).write_text(f"#!/bin/sh\ntouch {proof}\necho 'postgres (PostgreSQL) 18.1'\n")
        (programs / name).chmod(0o755)
    top.chmod(0o777)
    monkeypatch.setenv("TODO_PG_BIN", str(programs))
    with pytest.raises(Unavailable, match="root does not use"):
        LocalPostgres(top.parent / f"{top.name}-home").status()
    assert not proof.exists()


@only_root
@pytest.mark.parametrize("name", ["nobody", "root"])
def test_postgres_as_a_shared_account_is_refused(top: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("TODO_PG_USER", name)
    with pytest.raises(Unavailable, match=f"must not run as {name}"):
        LocalPostgres(top / "home").ensure()


@only_root
def test_postgres_of_root_has_an_account_that_other_processes_do_not_share(postgres: LocalPostgres) -> None:
    account = find_account(DEFAULT_ACCOUNT)
    assert account
    owner = (postgres.data).stat()
    assert owner.st_uid == account.uid
    password = postgres.home / "owner.password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    nobody = find_account("nobody")
    assert nobody
    for path in (password, postgres.data / "PG_VERSION"):
        assert "Permission denied" in as_attacker(["cat", str(path)], uid=nobody.uid)


@only_root
def test_cluster_of_nobody_is_given_to_the_account_of_its_own(top: Path) -> None:
    nobody, own = find_account("nobody"), find_account(DEFAULT_ACCOUNT)
    assert nobody
    assert own
    server = LocalPostgres(top / "home")
    server.ensure()
    try:
        server.stop()
        for path in (server.data, *server.data.rglob("*"), server.home / "owner.password", server.socket_dir()):
            os.chown(path, nobody.uid, nobody.gid, follow_symlinks=False)
        assert server.start()
        assert {path.lstat().st_uid for path in (server.data, *server.data.rglob("*"))} == {own.uid}
        assert (server.home / "owner.password").stat().st_uid == own.uid
    finally:
        server.destroy()


def test_unix_socket_of_a_server_follows_no_link(top: Path) -> None:
    victim, path = top / "victim", top / "todo.sock"
    victim.write_text("")
    victim.chmod(0o600)
    sockets = listen("", 0, str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o666, "the mode is there from the bind on"
    release(sockets, str(path))
    path.symlink_to(victim)
    with pytest.raises(Exception, match=r"todo\.sock"):
        listen("", 0, str(path))
    assert stat.S_IMODE(victim.stat().st_mode) == 0o600


REMOTE = ["http://todo.example.org", "http://192.0.2.7:8765", "http://[2001:db8::1]/", "http://localhost.example.org"]
LOCAL = [
    "http://localhost:1",
    "http://127.0.0.1:1",
    "http://[::1]:1",
    "https://todo.example.org",
    "unix:///run/todo.sock",
]


@pytest.mark.parametrize(("url", "in_clear"), [(url, url in REMOTE) for url in REMOTE + LOCAL])
def test_only_plain_http_to_another_machine_sends_in_clear(url: str, in_clear: bool) -> None:
    assert sends_in_clear(url) is in_clear


def test_login_over_plain_http_to_another_machine_needs_consent(bare: Todo) -> None:
    refused = bare("login", "http://192.0.2.7:8765", stdin="todo_secret")
    assert (refused.code, refused.out) == (2, "")
    assert "everyone on the way can read the token" in refused.err
    assert "--insecure" in refused.err
    accepted = bare("login", "http://192.0.2.7:8765", "--insecure", stdin="todo_secret", env={"TODO_TIMEOUT": "1"})
    assert accepted.code == 7, "nobody answers there"
    assert accepted.err.startswith("Warning: http:// is not encrypted: everyone")
    assert "todo_secret" not in refused.err + accepted.err
