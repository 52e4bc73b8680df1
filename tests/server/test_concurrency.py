"""Concurrent writes through two servers and directly: each write acts once, and all changes have one order."""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Database, Person, Server, Todo
from tests.support.thread_clients import over, straight
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Redo, Undo
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ReopenTasks
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.errors import Conflict, NotFound

EMPTY: dict[str, Any] = {"project": None, "note": None, "tags": [], "claimed_by": None, "claimed_until": None}
"""What the journal leaves out of a task's row where it is empty."""

FIELDS = ("title", "status", "project", "note", "priority", "tags", "rev")


def journal(db: Database, space: str) -> list[dict[str, Any]]:
    """Return every change of a space in order; assert that none is missing and that the last is the space's seq."""
    names = ("seq", "user_id", "key", "verb", "request", "before", "after")
    rows = db.execute(f"SELECT {', '.join(names)} FROM todo.changes WHERE space_id = %s ORDER BY seq", space)
    found = [dict(zip(names, row, strict=True)) for row in rows]
    for change in found:
        for name in ("before", "after"):
            change[name] = change[name] and [EMPTY | task for task in change[name]]
    assert [change["seq"] for change in found] == list(range(1, len(found) + 1))
    assert db.execute("SELECT seq FROM todo.spaces WHERE id = %s", space) == [(len(found),)]
    return found


def present(db: Database, space: str) -> dict[int, dict[str, Any]]:
    """The tasks as they stand."""
    query = """SELECT number, title, status, project, note, priority, ARRAY(SELECT tag FROM todo.task_tags g
        WHERE g.space_id = t.space_id AND g.number = t.number ORDER BY tag COLLATE "C"), rev FROM todo.tasks t WHERE space_id = %s"""
    return {row[0]: dict(zip(FIELDS, row[1:], strict=True)) for row in db.execute(query, space)}


def replayed(changes: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """The tasks as the journal says that they must be; asserts that every change began where the last one ended."""
    tasks: dict[int, dict[str, Any]] = {}
    for change in changes:
        for image in change["before"] or ():
            assert {name: image[name] for name in FIELDS} == tasks[image["number"]], change["seq"]
        for image in change["after"] or ():
            tasks[image["number"]] = {name: image[name] for name in FIELDS}
    return tasks


@pytest.fixture
def two(db: Database, make_server: Callable[..., Server], server: Server) -> tuple[str, str]:
    """Two servers over the shared database."""
    return server.url, make_server(db).url


def test_ten_adds_at_once_through_two_servers_are_all_stored(
    db: Database, person: Person, as_person: Callable[..., Todo], two: tuple[str, str]
) -> None:
    todos = [as_person(person, "api", url=url) for url in two]
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda index: todos[index % 2]("add", f"task {index}", "--json"), range(10)))
    assert [result.code for result in results] == [0] * 10
    assert sorted(result.json["number"] for result in results) == list(range(1, 11))
    assert {result.json["title"] for result in results} == {f"task {index}" for index in range(10)}
    assert len(journal(db, person.user_id)) == 10


def test_key_sent_by_eight_at_once_acts_once(db: Database, person: Person, two: tuple[str, str]) -> None:
    start = threading.Barrier(8)

    def add(index: int) -> Any:
        backend = straight(person) if index < 2 else over(two[index % 2], person)
        with closing(backend):
            start.wait()
            return backend.send_now(AddTask(title="once"), "the-key")

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(add, range(8)))
    assert {task.number for task in added} == {1}
    assert Counter(task.new for task in added) == {True: 1, False: 7}
    assert [change["key"] for change in journal(db, person.user_id)] == ["the-key"]


def test_key_sent_with_other_content_by_eight_at_once_acts_once(
    db: Database, person: Person, two: tuple[str, str]
) -> None:
    def add(index: int) -> str:
        try:
            return over(two[index % 2], person).send_now(AddTask(title=f"mine {index}"), "the-key").title
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        ended = Counter(pool.map(add, range(8)))
    assert ended["conflict"] == 7
    assert len(journal(db, person.user_id)) == 1


def test_equal_keys_of_two_members_act_separately(db: Database, person: Person, two: tuple[str, str]) -> None:
    other = db.person()
    db.execute("INSERT INTO todo.members VALUES (%s, %s, 'editor')", person.user_id, other.user_id)
    mine, theirs = over(two[0], person), over(two[1], other, space=person.user_id)
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(mine.send_now, AddTask(title="mine"), "the-key")
        two_ = pool.submit(theirs.send_now, AddTask(title="theirs"), "the-key")
        assert {one.result().title, two_.result().title} == {"mine", "theirs"}
    assert one.result().new is two_.result().new is True
    changes = journal(db, person.user_id)
    assert [change["key"] for change in changes] == ["the-key"] * 2
    assert {str(change["user_id"]) for change in changes} == {person.user_id, other.user_id}
    assert theirs.send_now(AddTask(title="theirs"), "the-key").new is False


class Writer:
    """One thread of the storm: sends mixed writes and keeps what was acknowledged and what was refused."""

    def __init__(self, backend: Any, seed: int, name: int) -> None:
        self.backend, self.random, self.name = backend, random.Random(seed * 100 + name), name
        self.acknowledged: dict[str, Any] = {}
        self.refused: set[str] = set()
        self.revs: dict[int, int] = {}

    def run(self, until: float) -> None:
        """Write until then."""
        with closing(self.backend):
            while time.monotonic() < until:
                self.once()

    def once(self) -> None:
        request, key = self._request(), new_id()
        try:
            answer = self.backend.send_now(request, key)
        except (Conflict, NotFound):
            self.refused.add(key)
            return
        self.acknowledged[key] = answer
        for task in getattr(answer, "tasks", [answer] if isinstance(request, AddTask) else []):
            self.revs[task.number] = task.rev
        if self.random.random() < 0.1:  # as after a lost answer: the same again must change nothing
            again = self.backend.send_now(request, key)
            assert again.new is False, request

    def _request(self) -> Any:
        chance, known = self.random.random(), [*self.revs]
        if chance < 0.3 or not known:
            tags = tuple(self.random.sample(["a", "b", "c"], 2))
            return AddTask(
                title=f"w{self.name} {self.random.random()}", tags=tags, priority=self.random.choice([None, 1])
            )
        number = self.random.choice(known)
        if chance < 0.55:
            rev = self.revs[number] if self.random.random() < 0.7 else None
            return EditTasks(
                numbers=(number,), if_rev=rev, title=f"w{self.name} {self.random.random()}", add_tags=("d",)
            )
        if chance < 0.7:
            return CompleteTasks(numbers=tuple(self.random.sample(known, min(3, len(known)))))
        if chance < 0.85:
            return self.random.choice([Undo(), Undo(partial=True), Redo()])
        return self.random.choice([ReopenTasks, DeleteTasks, RestoreTasks])(numbers=(number,))


def storm(db: Database, person: Person, urls: tuple[str, str], seconds: float) -> None:
    """Six writers for so long, then every account is settled."""
    seed = int(os.environ.get("TODO_TEST_SEED") or random.randrange(10**6))
    print(f"TODO_TEST_SEED={seed}")
    backends = [over(urls[0], person), over(urls[1], person), straight(person)] * 2
    backends[5] = straight(person)
    writers = [Writer(backend, seed, name) for name, backend in enumerate(backends)]
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(len(writers)) as pool:
        for running in [pool.submit(writer.run, until) for writer in writers]:
            running.result(seconds + 60)
    changes = journal(db, person.user_id)
    assert len(changes) > 20
    keys = Counter(change["key"] for change in changes)
    acknowledged = {key: answer for writer in writers for key, answer in writer.acknowledged.items()}
    assert set(keys) == set(acknowledged)  # none lost, and nothing refused acted
    assert set(keys.values()) == {1}  # none doubled
    added = [change["after"][0]["number"] for change in changes if change["verb"] == "AddTask"]
    assert added == list(range(1, len(added) + 1))
    for change in changes:
        if rev := change["request"].get("if_rev"):
            assert [image["rev"] for image in change["before"]] == [rev], change
    assert replayed(changes) == present(db, person.user_id)


def test_random_writes_at_once_agree_with_the_journal(db: Database, person: Person, two: tuple[str, str]) -> None:
    storm(db, person, two, 4)


@pytest.mark.long
def test_many_random_writes_at_once_agree_with_the_journal(db: Database, person: Person, two: tuple[str, str]) -> None:
    storm(db, person, two, 60)
