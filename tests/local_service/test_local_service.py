"""The local service: who starts it, which way commands take, and what they do when it fails."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.architecture.test_startup import HEAVY_PACKAGES, NETWORK_MODULES, imported_modules
from tests.conftest import wait_for
from tests.support.command_server import COMMAND, CommandServer
from tests.support.fake_model import run_fake_model
from tests.support.local_list import LocalList, create_local_list
from tests.support.model_answers import text_answer

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the tests read /proc")

OTHER_ACCOUNT = 12_345
MAX_MEMORY_BYTES = 80_000_000
MAX_MODULES_OF_ADD = 236  # 225 on Python 3.11, with a twentieth to spare


@pytest.fixture(scope="module")
def shared_list(command_server: CommandServer | None) -> Iterator[LocalList]:
    """One list for the module."""
    with create_local_list(command_server) as local_list:
        yield local_list


@pytest.fixture
def running(shared_list: LocalList) -> LocalList:
    """The list with a service that answers."""
    if not shared_list.socket.exists() or not shared_list.service():
        shared_list.forget_last_start()
        shared_list.todo("list")
    pid = shared_list.wait_for_service()
    wait_for(lambda: shared_list.service_processes() == [pid], "a second service has not ended")
    return shared_list


def titles(local_list: LocalList) -> list[str]:
    return [task["title"] for task in local_list.todo("list", "--json").json["tasks"]]


def test_commands_at_once_start_one_service_and_wait_for_none(shared_list: LocalList) -> None:
    shared_list.todo("init", "--stop")
    shared_list.todo("list")
    shared_list.todo("init", "--stop")
    shared_list.forget_last_start()
    names = [f"storm {number}" for number in range(4)]
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda name: shared_list.todo("add", name), names))
    assert [result.code for result in results] == [0] * 4, results
    pid = shared_list.wait_for_service()
    wait_for(lambda: shared_list.service_processes() == [pid], "more than one service")
    assert shared_list.todo("add", "later").code == 0
    ways = shared_list.ways()
    assert ({ways[name] for name in names}, ways["later"]) == ({"direct"}, "api")


def test_service_is_private_small_and_shown(running: LocalList) -> None:
    assert (running.socket.stat().st_mode & 0o777, running.directory.stat().st_mode & 0o777) == (0o600, 0o700)
    status = running.todo("init", "--status", "--json").json["service"]
    assert (status["running"], status["enabled"], status["at_boot"]) == (running.service(), True, None)
    assert 10_000_000 < status["memory"] <= MAX_MEMORY_BYTES
    assert f"Local service: running, {status['memory'] / 1e6:.0f} MB" in running.todo("init", "--status").out
    assert "through its service" in running.todo("doctor").out
    assert "Traceback" not in running.read_log()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try as another account")
def test_other_account_cannot_connect(running: LocalList) -> None:
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(OTHER_ACCOUNT)
        os.setuid(OTHER_ACCOUNT)
        with socket.socket(socket.AF_UNIX) as link:
            os._exit(link.connect_ex(str(running.socket)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == errno.EACCES


def test_directory_open_to_others_is_not_used(running: LocalList) -> None:
    running.directory.chmod(0o755)
    try:
        assert running.todo("add", "not through an open directory").code == 0
    finally:
        running.directory.chmod(0o700)
    assert running.ways()["not through an open directory"] == "direct"


def test_bare_environment_uses_the_service(running: LocalList) -> None:
    environment = {"HOME": str(running.todo.directory)}
    done = subprocess.run([*COMMAND, "add", "from cron"], env=environment, cwd="/", capture_output=True, check=False)
    assert (done.returncode, running.ways()["from cron"]) == (0, "api")


def test_command_through_the_service_loads_no_driver(running: LocalList) -> None:
    modules = imported_modules(running.todo, "add", "milk")
    assert modules & (HEAVY_PACKAGES | NETWORK_MODULES) == set()
    assert len(modules) <= MAX_MODULES_OF_ADD


def test_token_that_needs_a_server_waits_for_the_service(running: LocalList) -> None:
    narrow = running.todo("token", "create", "--name", "narrow", "--scopes", "read,tasks:write", "--json").json["token"]
    running.todo("init", "--stop")
    added = running.todo("add", "by a narrow token", env={"TODO_TOKEN": narrow})
    assert (added.code, running.ways()["by a narrow token"]) == (0, "api"), added
    refused = running.todo("list", env={"TODO_TOKEN": narrow, "TODO_SERVICE": "false"})
    assert (refused.code, "cannot be used directly on the database" in refused.err) == (5, True), refused


def test_command_whose_service_is_killed_goes_direct_once(running: LocalList) -> None:
    pid = running.service()
    assert pid
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(running.todo, "add", "killed under it")
        wait_for(lambda: _count_unread(running.socket) > 0, "the command sent nothing")
        os.kill(pid, signal.SIGKILL)
        assert waiting.result().code == 0
    assert running.ways()["killed under it"] == "direct"
    assert titles(running).count("killed under it") == 1
    assert running.socket.exists(), "a killed service leaves its socket"
    assert running.todo("add", "at a stale socket").code == 0
    running.forget_last_start()
    running.todo("list")
    running.wait_for_service(other_than=pid)


def test_service_that_hangs_is_left_alone_and_replaced(running: LocalList) -> None:
    pid = running.service()
    assert pid
    running.forget_last_start()
    os.kill(pid, signal.SIGSTOP)
    added = running.todo("add", "past a hanging service", env={"TODO_TIMEOUT": "1"})
    assert added.code == 0, added.err
    other = running.wait_for_service(other_than=pid)
    wait_for(lambda: running.service_processes() == [other], "the hanging service stays")
    assert titles(running).count("past a hanging service") == 1


def test_service_of_another_release_is_replaced(running: LocalList) -> None:
    pid = running.service()
    old_socket = running.socket.with_name("0.0.9-18.sock")
    running.socket.rename(old_socket)
    running.forget_last_start()
    assert running.todo("add", "after the upgrade").code == 0
    assert running.ways()["after the upgrade"] == "direct"
    other = running.wait_for_service(other_than=pid)
    wait_for(lambda: running.service_processes() == [other], "the old service stays")
    assert not old_socket.exists()


def test_turn_and_reminder_go_on_without_a_terminal(running: LocalList) -> None:
    """A new model in the configuration replaces the service, which then runs the turn."""
    script = [{"wait": 1.0}, *text_answer("It", " survives.")]
    with run_fake_model({"steps": script, "keep": True}) as model:
        text = f'[model]\nname = "test-model"\nbase_url = "{model.url}"\ntitles = false\n'
        running.config.write_text(running.config.read_text() + text)
        pid = running.service()
        running.forget_last_start()
        listed = running.todo("list")
        assert listed.code == 0, listed.err
        running.wait_for_service(other_than=pid)
        running.todo("channel", "add", "desk", "desktop")
        soon = (datetime.now(UTC) + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%SZ")
        added = running.todo("add", "Call the bank", "--due", "tomorrow", "--remind", soon)
        assert added.code == 0, added.err
        asking = subprocess.Popen(
            [*COMMAND, "ask", "Do you survive?"],
            env=running.todo.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(lambda: len(model.asked) > 0, "the model was not asked")
        asking.kill()
        asking.wait()
        wait_for(lambda: "It survives." in running.todo("chat", "show", "1").out, running.read_log())
        assert len(model.asked) == 1, "one process ran the turn"
    wait_for((running.programs / "notify-send.log").exists, "no reminder was sent")
    assert "Call the bank" in (running.programs / "notify-send.log").read_text()


@pytest.mark.long
def test_turn_whose_service_is_killed_ends_in_the_command() -> None:
    slow = [*text_answer("It", " goes", " on."), {"wait": 2.0}]
    with create_local_list() as local_list, run_fake_model({"steps": slow[:1] + slow[-1:] + slow[1:-1]}) as model:
        model.otherwise = text_answer("It goes on.")
        text = f'[model]\nname = "test-model"\nbase_url = "{model.url}"\ntitles = false\n'
        local_list.config.write_text(local_list.config.read_text() + text)
        local_list.forget_last_start()
        local_list.todo("list")
        pid = local_list.wait_for_service()
        with ThreadPoolExecutor() as pool:
            asking = pool.submit(local_list.todo, "ask", "Do you go on?", timeout=120)
            wait_for(lambda: len(model.asked) == 1, "the model was not asked")
            os.kill(pid, signal.SIGKILL)
            asked = asking.result()
        assert (asked.code, "It goes on." in asked.out) == (0, True), asked
        assert local_list.todo("chat", "show", "1").out.count("It goes on.") == 1


def test_service_turned_off_stays_off_until_it_is_turned_on(running: LocalList) -> None:
    pid = running.service()
    assert pid
    assert running.todo("init", "--no-service").code == 0
    assert running.service_processes() == []
    running.forget_last_start()
    assert running.todo("add", "without a service").code == 0
    assert (running.service(), running.ways()["without a service"]) == (None, "direct")
    assert "Local service: off" in running.todo("init", "--status").out
    assert running.todo("init", "--service").code == 0
    running.wait_for_service()
    assert running.todo("init", "--stop").out == "Stopped.\n"
    assert running.service_processes() == []


def _count_unread(socket: Path) -> int:
    """Return how many connections wait to be accepted at the socket."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return sum(line.endswith(str(socket)) or line.endswith(f"{socket}.new") for line in lines) - 1
