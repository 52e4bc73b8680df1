"""Lost answers: a write acts exactly once wherever its answer is lost, and the user learns the true outcome."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from urllib.request import Request, urlopen

import pytest

from tests.conftest import Database, Person, Server, Todo
from tests.support.tcp_proxy import TcpProxy, open_database_proxy, open_server_proxy

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
def front(server: Server, person: Person, as_person: Callable[..., Todo]) -> Iterator[tuple[TcpProxy, Todo]]:
    """A proxy before the server, and the command that goes through it."""
    with closing(open_server_proxy(server.url)) as proxy:
        yield proxy, as_person(person, "api", url=proxy.url)


@pytest.mark.parametrize("times", [1, 2])
def test_answer_lost_between_server_and_client_acts_once(
    front: tuple[TcpProxy, Todo], db: Database, person: Person, times: int
) -> None:
    proxy, todo = front
    proxy.drop = times
    result = todo("add", MARK, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["number"] == 1
    assert result.json["new"] is False  # the answer that came is the second's or third's
    assert proxy.marked == times + 1
    assert [verb for verb, _ in journal(db, person)] == ["AddTask"]


def test_answer_always_lost_from_the_server_is_reported(
    front: tuple[TcpProxy, Todo], db: Database, person: Person
) -> None:
    proxy, todo = front
    proxy.drop = OFTEN
    result = todo("add", MARK)
    assert result.code == 7
    assert result.err.count("\n") == 1
    found = DOUBT.search(result.err)
    assert found
    assert journal(db, person) == [("AddTask", found[1])]
    proxy.drop = 0
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
def test_write_with_a_lost_answer_acts_once(
    front: tuple[TcpProxy, Todo], db: Database, person: Person, name: str
) -> None:
    proxy, todo = front
    assert todo("add", MARK).code == 0
    before = len(journal(db, person))
    proxy.drop = 1
    result = todo(*WRITES[name])
    assert result.code == 0, result.err
    assert proxy.drop < 1
    assert len(journal(db, person)) == before + 1


def test_token_created_with_a_lost_answer_works(front: tuple[TcpProxy, Todo], person: Person) -> None:
    """Its secret was made before it was sent: no answer need bring it."""
    proxy, todo = front
    proxy.drop = 1
    token = todo(*WRITES["token"], "--json").json["token"]
    assert todo("list", env={"TODO_TOKEN": token}).code == 0


def test_bulk_add_with_a_lost_answer_acts_once(front: tuple[TcpProxy, Todo], db: Database, person: Person) -> None:
    proxy, todo = front
    proxy.drop = 1
    assert todo("add", "-", stdin="one\ntwo\nthree\n").code == 0
    assert db.execute("SELECT count(*) FROM todo.tasks WHERE space_id = %s", person.user_id) == [(3,)]


# -- between server and database -------------------------------------------------------------------


@pytest.fixture
def behind(
    db: Database, person: Person, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> Iterator[tuple[TcpProxy, Todo]]:
    """A proxy between a server and Postgres, and the command that asks that server."""
    with closing(open_database_proxy(db.server_url, MARK.encode())) as proxy:
        server = make_server(replace(db, server_url=proxy.through(db.server_url)))
        yield proxy, as_person(person, "api", url=server.url)


@pytest.mark.parametrize("times", [1, 2])
def test_answer_lost_between_database_and_server_acts_once(
    behind: tuple[TcpProxy, Todo], db: Database, person: Person, times: int
) -> None:
    proxy, todo = behind
    proxy.drop = times
    result = todo("add", MARK, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["new"] is False
    assert [verb for verb, _ in journal(db, person)] == ["AddTask"]
    assert todo("add", "the next").out == "Added #2 the next\n"


def test_answer_always_lost_from_the_database_to_the_server_is_reported(
    behind: tuple[TcpProxy, Todo], db: Database, person: Person
) -> None:
    proxy, todo = behind
    proxy.drop = OFTEN
    result = todo("add", MARK)
    assert result.code == 7
    found = DOUBT.search(result.err)
    assert found, result.err
    assert journal(db, person) == [("AddTask", found[1])]


def test_write_without_a_key_acts_once(behind: tuple[TcpProxy, Todo], db: Database, person: Person) -> None:
    """The server repeats what it lost, so it must mint the key that curl did not send."""
    proxy, todo = behind
    proxy.drop = 2
    body = json.dumps({"title": MARK}).encode()
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}
    with urlopen(Request(todo.env["TODO_SERVER"] + "/v1/tasks", body, headers)) as answer:
        assert answer.status == 201
    assert len(journal(db, person)) == 1


# -- between client and database -------------------------------------------------------------------


@pytest.fixture
def direct(person: Person, as_person: Callable[..., Todo]) -> Iterator[tuple[TcpProxy, Todo]]:
    """A proxy between the command and Postgres."""
    with closing(open_database_proxy(person.database_url, MARK.encode())) as proxy:
        yield proxy, as_person(replace(person, database_url=proxy.through(person.database_url)), "direct")


@pytest.mark.parametrize("times", [1, 2])
def test_answer_lost_between_database_and_command_acts_once(
    direct: tuple[TcpProxy, Todo], db: Database, person: Person, times: int
) -> None:
    proxy, todo = direct
    proxy.drop = times
    result = todo("add", MARK, "--json")
    assert (result.code, result.err) == (0, "")
    assert result.json["new"] is False
    assert [verb for verb, _ in journal(db, person)] == ["AddTask"]


def test_answer_always_lost_from_the_database_is_reported(
    direct: tuple[TcpProxy, Todo], db: Database, person: Person
) -> None:
    proxy, todo = direct
    proxy.drop = OFTEN
    result = todo("add", MARK, env={"TODO_TIMEOUT": "1"})
    assert result.code == 7
    assert result.err.count("\n") == 1
    found = DOUBT.search(result.err)
    assert found, result.err
    assert journal(db, person) == [("AddTask", found[1])]


def test_answer_lost_before_an_outage_is_reported(direct: tuple[TcpProxy, Todo], db: Database, person: Person) -> None:
    """The loss is not forgotten when the database cannot be reached afterwards."""
    proxy, todo = direct
    proxy.marker = MARK.encode()
    proxy.drop = 1
    original = proxy.drops_answer

    def lose_and_go_down() -> bool:
        proxy.down = True
        return original()

    proxy.drops_answer = lose_and_go_down  # type: ignore[method-assign]
    result = todo("add", MARK, env={"TODO_TIMEOUT": "1"})
    assert result.code == 7
    assert DOUBT.search(result.err), result.err
    assert len(journal(db, person)) == 1
