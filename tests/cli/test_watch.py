"""`todo watch` in a pipe: each change once, as a line, over outages and restarts."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from time import sleep
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import COMMAND, Database, Server, Todo
from tests.support.connections import Line
from tests.support.tcp_proxy import open_server_proxy
from todo_cli.contract.tasks import AddTask


class Watcher:
    """A running `todo watch`."""

    def __init__(self, todo: Todo, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, "watch", *arguments],
            env=todo.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def read(self, count: int) -> list[str]:
        """Return so many lines as they come."""
        assert self.process.stdout
        return [self.process.stdout.readline().rstrip("\n") for _ in range(count)]

    def read_json(self, count: int) -> list[Any]:
        return [json.loads(line) for line in self.read(count)]

    def end(self) -> tuple[str, str, int]:
        """End it as Ctrl-C does; return the rest of its output, what it reported, and the exit code."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return out, err, self.process.returncode


@contextmanager
def watch(todo: Todo, *arguments: str) -> Iterator[Watcher]:
    watcher = Watcher(todo, *arguments)
    try:
        yield watcher
    finally:
        watcher.process.kill()
        watcher.process.communicate()


def test_watch_prints_changes_of_another_machine_until_interrupted(
    db: Database, as_person: Callable[..., Todo]
) -> None:
    person = db.person()
    todo = as_person(person, "direct")
    todo("add", "Stand-up #work")
    with watch(todo, "--after", "0") as watcher:
        assert watcher.read(1)[0].endswith(" add #1 Stand-up: project work")
        todo("done", "1")
        todo("add", "-", stdin="Bread\nMilk\x1b[31m\n")
        lines = [line.split(" ", 1)[1] for line in watcher.read(2)]
        assert lines == ["done #1 Stand-up", "add 2 tasks: #2 Bread, #3 Milk\\x1b[31m"]
        assert watcher.end() == ("", "", 130)


def test_watch_jsonl_continues_at_its_cursor(db: Database, as_person: Callable[..., Todo]) -> None:
    todo = as_person(db.person(), "direct")
    with watch(todo, "--jsonl", "--after", "0", "#home") as watcher:
        todo("add", "Paint #home")
        todo("add", "Other #work")
        todo("done", "1")
        first, second = watcher.read_json(2)
        assert (first["type"], first["verb"], second["verb"]) == ("change", "AddTask", "CompleteTasks")
        assert [first["cursor"], second["cursor"]] == [1, 3]
        watcher.end()
    todo("reopen", "1")
    with watch(todo, "--jsonl", "--after", str(second["cursor"])) as watcher:
        assert watcher.read_json(1)[0]["verb"] == "ReopenTasks"
        watcher.end()


def test_watch_ends_with_4_once_its_token_is_revoked(db: Database, as_person: Callable[..., Todo], server: Any) -> None:
    person = db.person()
    todo = as_person(person, "api", url=server.url)
    with watch(todo, "--after", "0") as watcher:
        todo("add", "a")
        assert watcher.read(1)[0].endswith("add #1 a")
        db.execute("UPDATE todo.tokens SET revoked_at = now() WHERE user_id = %s", person.user_id)
        out, err = watcher.process.communicate(timeout=20)
        assert (out, watcher.process.returncode) == ("", 4)
        assert "revoked" in err


@pytest.mark.parametrize("way", ["direct", "api"])
def test_watch_of_an_unknown_filter_is_refused(
    db: Database, as_person: Callable[..., Todo], server: Any, way: str
) -> None:
    todo = as_person(db.person(), way, **({"url": server.url} if way == "api" else {}))
    result = todo("watch", "prioriy:1")
    assert (result.code, result.out) == (2, "")
    assert "did you mean" in result.err


def test_watch_over_killed_servers_prints_each_change_once(
    db: Database, as_person: Callable[..., Todo], make_server: Callable[..., Server], line: Callable[..., Line]
) -> None:
    """Three servers are killed one after the other, while another machine adds tasks straight to the database."""
    person, first = db.person(), make_server(db)
    add = line(person)
    with closing(open_server_proxy(first.url)) as proxy:
        todo = as_person(person, "api", url=proxy.url)
        with watch(todo, "--jsonl", "--after", "0") as watcher:
            running, titles = first, []
            for round in range(3):
                proxy.down = False
                expected = [f"{round} {place}" for place in range(10)]
                for title in expected[:5]:
                    add(AddTask(title=title))
                titles += [change["differences"][0]["title"] for change in watcher.read_json(2)]
                proxy.down = True
                running.stop(signal.SIGKILL)
                for title in expected[5:]:
                    add(AddTask(title=title))
                running = make_server(db)
                proxy.target = (urlsplit(running.url).hostname, urlsplit(running.url).port)
                proxy.down = False
                titles += [change["differences"][0]["title"] for change in watcher.read_json(8)]
                assert titles[-10:] == expected
            assert watcher.end() == ("", "", 130)


def test_watch_in_a_pipe_reports_an_outage_once(db: Database, as_person: Callable[..., Todo], server: Server) -> None:
    with closing(open_server_proxy(server.url)) as proxy:
        todo = as_person(db.person(), "api", url=proxy.url)
        with watch(todo, "--after", "0") as watcher:
            todo("add", "a")
            watcher.read(1)
            proxy.down = True
            proxy.cut()
            assert watcher.process.stderr
            assert watcher.process.stderr.readline().startswith("no connection, trying again: ")
            sleep(2)
            proxy.down = False
            assert watcher.process.stderr.readline() == "connected again\n"
            todo("add", "b")
            assert watcher.read(1)[0].endswith("add #2 b")
            assert watcher.end() == ("", "", 130)
