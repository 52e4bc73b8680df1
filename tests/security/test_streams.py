"""Streams of turns: bounded for each user and in time, and polled once however many follow a turn."""

from __future__ import annotations

import asyncio
import http.client
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.conftest import Database, Person, Server, wait_for
from tests.support.raw_http import ask
from tests.support.tcp_proxy import open_database_proxy
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_events import EventBatch, TurnProgress
from todo_cli.server import event_stream
from todo_cli.server.turn_feed import MAX_STREAMS_PER_USER
from todo_cli.server.turn_stream import _format_frames

INSERT_TURN = """
WITH conversation AS (
    INSERT INTO todo.conversations (space_id, user_id, id, number, title)
    VALUES (%(user)s, %(user)s, %(conversation)s, 1, 'x'))
INSERT INTO todo.turns (space_id, user_id, id, conversation_id, runner, lease_until, asked)
VALUES (%(user)s, %(user)s, %(turn)s, %(conversation)s, %(turn)s, now() + interval '280 seconds', 1)"""
INSERT_EVENT = """
INSERT INTO todo.events (space_id, user_id, turn_id, n, attempt, after, batch)
VALUES (%(user)s, %(user)s, %(turn)s, %(n)s, 1, 1, '[{"kind": "words", "text": "word"}]')"""


def start_turn(db: Database, person: Person) -> str:
    """Store a turn that another process runs, and return its id."""
    values = {"user": person.user_id, "turn": new_id(), "conversation": new_id()}
    with psycopg.connect(db.owner_url, autocommit=True) as connection:
        connection.execute(INSERT_TURN, values)
    return values["turn"]


def store_event(db: Database, person: Person, turn: str, n: int) -> None:
    with psycopg.connect(db.owner_url, autocommit=True) as connection:
        connection.execute(INSERT_EVENT, {"user": person.user_id, "turn": turn, "n": n})


@contextmanager
def stream_of(server: Server, person: Person, turn: str, after: int = -1) -> Iterator[http.client.HTTPResponse]:
    """Follow a turn during the block."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
    headers = {"Authorization": f"Bearer {person.token}"}
    connection.request("GET", f"/v1/turns/{turn}/events?after={after}", headers=headers)
    with closing(connection):
        yield connection.getresponse()


def read_until(response: http.client.HTTPResponse, text: bytes) -> bytes:
    """Read lines until one contains the text."""
    lines = b""
    while text not in lines:
        line = response.readline()
        assert line, lines
        lines += line
    return lines


def test_streams_of_a_user_are_bounded(server: Server, db: Database, person: Person) -> None:
    turn = start_turn(db, person)
    with ExitStack() as opened:
        for _ in range(MAX_STREAMS_PER_USER):
            assert opened.enter_context(stream_of(server, person, turn)).status == 200
        path = f"/v1/turns/{turn}/events"
        refused = ask(server.url, "GET", path, token=person.token)
        assert (refused.status, refused.problem["reason"]) == (429, "streams")
        assert ask(server.url, "GET", "/v1/tasks", token=person.token).status == 200
        other = db.person()
        with stream_of(server, other, start_turn(db, other)) as stream:
            assert stream.status == 200

    def is_free() -> bool:
        with stream_of(server, person, turn) as stream:
            return stream.status == 200

    wait_for(is_free, "a stream that ended still counts")


def test_followers_of_a_turn_share_one_poller(db: Database, make_server: Callable[..., Server]) -> None:
    """Before, each follower polled by itself: 400 streams cost 880 commits a second."""
    person = db.person()
    turn = start_turn(db, person)
    store_event(db, person, turn, 0)
    with closing(open_database_proxy(db.server_url)) as proxy, ExitStack() as opened:
        server = make_server(replace(db, server_url=proxy.through(db.server_url)))
        streams = [opened.enter_context(stream_of(server, person, turn)) for _ in range(MAX_STREAMS_PER_USER)]
        assert all(b"id: 0" in read_until(stream, b"word") for stream in streams)
        proxy.reset()
        time.sleep(2)
        assert 1 <= proxy.round_trips <= 2 * 4 + 2, "four polls a second at most"
        store_event(db, person, turn, 1)
        assert all(b"id: 1" in read_until(stream, b"word") for stream in streams)
        server.stop()


def test_follower_that_comes_later_reads_from_its_own_place(server: Server, db: Database, person: Person) -> None:
    turn = start_turn(db, person)
    for n in range(3):
        store_event(db, person, turn, n)
    with stream_of(server, person, turn) as first, stream_of(server, person, turn, after=1) as second:
        assert b"id: 2" in read_until(first, b"id: 2")
        assert b"id: 1" not in read_until(second, b"id: 2")


def collect(progress: AsyncGenerator[TurnProgress, None], *, blocks: bool = False) -> list[Any]:
    """Send a stream; return the messages of its response. A client that `blocks` reads the first only."""
    messages: list[Any] = []

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        if blocks and len(messages) > 1:
            await asyncio.sleep(60)
        messages.append(message)

    frames = _format_frames(progress, "turn", "request")
    asyncio.run(event_stream.EventStream(b"", frames).send(receive, send))
    return messages


async def run_for_ever() -> AsyncGenerator[TurnProgress, None]:
    """Yield the progress of a turn that never ends."""
    n = 0
    while True:
        yield TurnProgress(batches=(EventBatch(n=n, events=()),), state="running", attempt=1)
        await asyncio.sleep(0.01)
        n += 1


@pytest.mark.parametrize("blocks", [False, True], ids=["reads", "reads nothing"])
def test_stream_ends_after_its_time(monkeypatch: pytest.MonkeyPatch, blocks: bool) -> None:
    monkeypatch.setattr(event_stream, "MAX_STREAM_SECONDS", 0.1)
    monkeypatch.setattr(event_stream, "LAST_FRAME_SECONDS", 0.1)
    messages = collect(run_for_ever(), blocks=blocks)
    assert not any(b"event: turn" in message.get("body", b"") for message in messages)
    assert blocks or messages[-1] == {"type": "http.response.body", "body": b""}


@pytest.mark.long
def test_four_hundred_streams_cost_few_commits(db: Database, make_server: Callable[..., Server]) -> None:
    server = make_server(db)
    commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
    with ExitStack() as opened:
        for _ in range(400 // MAX_STREAMS_PER_USER):
            person = db.person()
            turn = start_turn(db, person)
            for _ in range(MAX_STREAMS_PER_USER):
                opened.enter_context(stream_of(server, person, turn))
        time.sleep(2)
        before, started = db.execute(commits)[0][0], time.monotonic()
        time.sleep(10)
        rate = (db.execute(commits)[0][0] - before) / (time.monotonic() - started)
        assert rate < 100
