"""Streams of changes over HTTP: every change once, few statements however many streams, and a clean end."""

from __future__ import annotations

import http.client
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tests.conftest import Database, Person, Server
from tests.support.connections import Line
from tests.support.raw_http import ask
from tests.support.tcp_proxy import open_database_proxy
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.tokens import RevokeToken
from todo_cli.server.change_stream import MAX_CHANGE_STREAMS_PER_USER

STREAMS = 50


class ChangeStream:
    """An open stream of changes."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response

    def read(self, event: str = "changes") -> Any:
        """Return the data of the next event of this kind; of `changes` with the id of the event."""
        fields: dict[str, str] = {}
        while True:
            line = self.response.readline().decode()
            assert line, f"the stream ended before {event}"
            name, _, value = line.rstrip("\n").partition(": ")
            fields |= {name: value} if name else {}
            if line == "\n" and fields.get("event") == event:
                data = json.loads(fields["data"])
                assert event != "changes" or int(fields["id"]) == data["cursor"]
                return data
            if line == "\n":
                fields = {}

    def read_titles(self, count: int) -> list[str]:
        """Return the titles of the tasks of so many changes."""
        titles: list[str] = []
        while len(titles) < count:
            titles += [change["differences"][0]["title"] for change in self.read()["changes"]]
        return titles


@contextmanager
def follow(server: Server, person: Person, query: str = "", **headers: str) -> Iterator[ChangeStream]:
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {person.token}"} | headers
    connection.request("GET", f"/v1/changes/stream{query}", headers=headers)
    with closing(connection):
        response = connection.getresponse()
        assert response.status == 200, response.read()
        yield ChangeStream(response)


def test_stream_sends_each_change_of_others_once_and_continues_at_its_id(
    db: Database, server: Server, line: Callable[..., Line]
) -> None:
    person = db.person()
    other_machine = line(person)
    other_machine(AddTask(title="a"))
    with follow(server, person) as stream:
        assert stream.read() == {"changes": [], "reminders": [], "cursor": 1, "more": False}
        other_machine(AddTask(title="b"))
        started = time.monotonic()
        assert stream.read_titles(1) == ["b"]
        assert time.monotonic() - started < 5
        other_machine(AddTask(title="c"))
        assert stream.read_titles(1) == ["c"]
    headers = {"Last-Event-ID": "2"}
    with follow(server, person, "?after=0", **headers) as stream:
        assert stream.read_titles(1) == ["c"]
    with follow(server, person, "?after=0&filter=title%3Ab") as stream:
        assert stream.read_titles(1) == ["b"]


def test_fifty_streams_cost_the_statements_of_one(db: Database, make_server: Callable[..., Server]) -> None:
    person = db.person()
    with closing(open_database_proxy(db.server_url)) as proxy, ExitStack() as opened:
        server = make_server(replace(db, server_url=proxy.through(db.server_url)))
        streams = [opened.enter_context(follow(server, person)) for _ in range(STREAMS)]
        for stream in streams:
            stream.read()
        time.sleep(1)
        proxy.reset()
        time.sleep(2)
        assert 2 <= proxy.round_trips <= 2 * 4 + 1, "four times a second at most"
        assert ask(server.url, "POST", "/v1/tasks", {"title": "a"}, token=person.token).status == 201
        assert all(stream.read_titles(1) == ["a"] for stream in streams)


def test_stream_of_a_revoked_token_ends_at_once(db: Database, server: Server, line: Callable[..., Line]) -> None:
    person = db.person()
    with follow(server, person) as stream:
        stream.read()
        line(person)(RevokeToken(name="first"))
        assert stream.read("problem")["status"] == 401
        assert stream.response.read() == b""


def test_streams_end_when_the_server_stops(db: Database, make_server: Callable[..., Server]) -> None:
    server, person = make_server(db), db.person()
    with follow(server, person) as stream:
        stream.read()
        started = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert stream.response.read() == b"", "a whole response"
        assert server.process.wait(10) == 0
        assert time.monotonic() - started < 5, "it does not wait for the end of its streams"


def test_streams_of_a_user_are_bounded_and_others_are_not_refused(db: Database, server: Server) -> None:
    person = db.person()
    with ExitStack() as opened:
        for _ in range(MAX_CHANGE_STREAMS_PER_USER):
            opened.enter_context(follow(server, person))
        refused = ask(server.url, "GET", "/v1/changes/stream", token=person.token)
        assert (refused.status, refused.problem["reason"]) == (429, "streams")
        opened.enter_context(follow(server, db.person()))
    refused = ask(server.url, "GET", "/v1/changes/stream?after=9", token=db.person().token)
    assert (refused.status, refused.problem["title"]) == (409, "Conflict")
