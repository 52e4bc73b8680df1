"""An answer is lost after the server acted: the write acts exactly once, whoever lost it, and the user is told the truth."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.request import Request, urlopen

import pytest

from tests.conftest import Database, Person, Server, Todo
from tests.support.tcp_proxy import Between, before_database, before_server

DOUBT = re.compile(r"The request may have been carried out: repeat it with the same --key ([\w-]+)")
MARK = "Zitronenkuchen"
OFTEN = 1_000_000


def journal(db: Database, person: Person) -> list[tuple[str, str]]:
    """Verb and key of every change, oldest first; asserts that no number is left out."""
    rows = db.execute("SELECT seq, verb, key FROM todo.changes WHERE space_id = %s ORDER BY seq", person.user_id)
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    return [(row[1], row[2]) for row in rows]


# -- between client and server ---------------------------------------------------------------------


@pytest.fixture
def front(server: Server, person: Person, as_person: Callable[..., Todo]) -> Iterator[tuple[Between, Todo]]:
    """A proxy before the server, and the command that goes through it."""
    with before_server(server.url) as (between, url):
        yield between, as_person(person, "api", url=url)


@pytest.mark.parametrize("times", [1, 2])
def test_lost_on_the_way_to_the_client(front: tuple[Between, Todo], db: Database, person: Person, times: int) -> None:
    between, todo = front
    between.drop = times
    result = todo("add", MARK, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["number"] == 1
    assert result.json["new"] is False  # the answer that came is the second's or third's
    assert between.marked == times + 1
    assert [verb for verb, _ in journal(db, person)] == ["AddTask"]


def test_always_lost(front: tuple[Between, Todo], db: Database, person: Person) -> None:
    between, todo = front
    between.drop = OFTEN
    result = todo("add", MARK)
    assert result.code == 7
    assert result.err.count("\n") == 1
    found = DOUBT.search(result.err)
    assert found
    assert journal(db, person) == [("AddTask", found[1])]
    between.drop = 0
    again = todo("add", MARK, "--key", found[1])
    assert (again.code, again.out) == (0, f"Added #1 {MARK}\n")
    assert "already added" in again.err
    assert len(journal(db, person)) == 1


WRITES = {
    "done": ("done", "1"),
    "edit": ("edit", "1", "--title", "Kuchen", "--due", "2031-01-01"),
    "rm": ("rm", "1"),
    "undo": ("undo",),
    "token": ("token", "create", "--name", "lost", "--scopes", "read"),
}


@pytest.mark.parametrize("name", WRITES)
def test_every_write_acts_once(front: tuple[Between, Todo], db: Database, person: Person, name: str) -> None:
    between, todo = front
    assert todo("add", MARK).code == 0
    before = len(journal(db, person))
    between.drop = 1
    result = todo(*WRITES[name])
    assert result.code == 0, result.err
    assert between.drop < 1
    assert len(journal(db, person)) == before + 1


def test_a_token_whose_answer_was_lost_works(front: tuple[Between, Todo], person: Person) -> None:
    """Its secret was made before it was sent: no answer need bring it."""
    between, todo = front
    between.drop = 1
    token = todo(*WRITES["token"], "--json").json["token"]
    assert todo("list", env={"TODO_TOKEN": token}).code == 0


def test_many_lines_act_once(front: tuple[Between, Todo], db: Database, person: Person) -> None:
    between, todo = front
    between.drop = 1
    assert todo("add", "-", stdin="one\ntwo\nthree\n").code == 0
    assert db.execute("SELECT count(*) FROM todo.tasks WHERE space_id = %s", person.user_id) == [(3,)]


# -- between server and database -------------------------------------------------------------------


@pytest.fixture
def behind(
    db: Database, person: Person, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> Iterator[tuple[Between, Todo]]:
    """A proxy between a server and Postgres, and the command that asks that server."""
    with before_database(db.server_url, MARK.encode()) as (between, url):
        yield between, as_person(person, "api", url=make_server(replace(db, server_url=url)).url)


@pytest.mark.parametrize("times", [1, 2])
def test_lost_on_the_way_to_the_server(behind: tuple[Between, Todo], db: Database, person: Person, times: int) -> None:
    between, todo = behind
    between.drop = times
    result = todo("add", MARK, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["new"] is False
    assert [verb for verb, _ in journal(db, person)] == ["AddTask"]
    assert todo("add", "the next").out == "Added #2 the next\n"


def test_always_lost_behind_the_server(behind: tuple[Between, Todo], db: Database, person: Person) -> None:
    between, todo = behind
    between.drop = OFTEN
    result = todo("add", MARK)
    assert result.code == 7
    found = DOUBT.search(result.err)
    assert found, result.err
    assert journal(db, person) == [("AddTask", found[1])]


def test_a_client_that_sends_no_key(behind: tuple[Between, Todo], db: Database, person: Person) -> None:
    """The server repeats what it lost, so it must mint the key that curl did not send."""
    between, todo = behind
    between.drop = 2
    body = json.dumps({"title": MARK}).encode()
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
    with urlopen(Request(todo.env["TODO_SERVER"] + "/v1/tasks", body, headers)) as answer:
        assert answer.status == 201
    assert len(journal(db, person)) == 1


# -- between client and database -------------------------------------------------------------------


@pytest.fixture
def direct(person: Person, as_person: Callable[..., Todo]) -> Iterator[tuple[Between, Todo]]:
    """A proxy between the command and Postgres."""
    with before_database(person.database_url, MARK.encode()) as (between, url):
        yield between, as_person(replace(person, database_url=url), "direct")


@pytest.mark.parametrize("times", [1, 2])
def test_lost_on_the_way_from_the_database(
    direct: tuple[Between, Todo], db: Database, person: Person, times: int
) -> None:
    between, todo = direct
    between.drop = times
    result = todo("add", MARK, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["new"] is False
    assert [verb for verb, _ in journal(db, person)] == ["AddTask"]


def test_always_lost_from_the_database(direct: tuple[Between, Todo], db: Database, person: Person) -> None:
    between, todo = direct
    between.drop = OFTEN
    result = todo("add", MARK, env={"TODO_TIMEOUT": "1"})
    assert result.code == 7
    assert result.err.count("\n") == 1
    found = DOUBT.search(result.err)
    assert found, result.err
    assert journal(db, person) == [("AddTask", found[1])]


def test_lost_and_then_down(direct: tuple[Between, Todo], db: Database, person: Person) -> None:
    """The loss is not forgotten when the database cannot be reached afterwards."""
    between, todo = direct
    between.marker = MARK.encode()
    between.drop = 1
    original = between._loses

    def lose_and_go_down() -> bool:
        between.down = True
        return original()

    between._loses = lose_and_go_down  # type: ignore[method-assign]
    result = todo("add", MARK, env={"TODO_TIMEOUT": "1"})
    assert result.code == 7
    assert DOUBT.search(result.err), result.err
    assert len(journal(db, person)) == 1
