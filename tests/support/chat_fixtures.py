"""Fixtures for chats: `chat` is a conversation of a new user; `make_chat` opens others."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Database, Person, Server, Todo, start_server
from tests.support.chat import Chat
from tests.support.chat_process import ChatProcess, model_environment
from tests.support.fake_model import FakeModel, run_fake_model


@pytest.fixture
def make_chat(db: Database, person: Person) -> Iterator[Callable[..., Chat]]:
    made: list[Chat] = []

    def open_chat(who: Person | None = None, conversation: str | None = None) -> Chat:
        made.append(Chat(db, who or person, conversation))
        return made[-1]

    yield open_chat
    for one in made:
        one.close()


@pytest.fixture
def chat(make_chat: Callable[..., Chat]) -> Chat:
    return make_chat()


@pytest.fixture(scope="module")
def model() -> Iterator[FakeModel]:
    """A model that answers from scripts."""
    with run_fake_model() as running:
        running.strict = True
        yield running


@pytest.fixture(scope="module")
def chat_server(db: Database, model: FakeModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that uses the model."""
    running = start_server(tmp_path_factory.mktemp("chat"), db, env=model_environment(model))
    yield running
    running.stop(signal.SIGKILL)


def end_unfinished_turns(db: Database) -> None:
    """End the turns that earlier tests left, else a server continues them with the scripts of this test."""
    db.execute("UPDATE todo.turns SET state = 'stopped' WHERE state IN ('running', 'answered')")


@pytest.fixture
def make_talker(
    db: Database, model: FakeModel, chat_server: Server, as_person: Callable[..., Todo], request: pytest.FixtureRequest
) -> Callable[..., ChatProcess]:
    """Return a function that opens a user's terminal: make_talker(way)."""
    end_unfinished_turns(db)

    def make(way: str, who: Person | None = None) -> ChatProcess:
        who = who or db.person()
        ways = {one: as_person(who, one, url=chat_server.url) for one in ("direct", "api")}
        ways["direct"].env |= model_environment(model)
        return ChatProcess(db, who, ways[way], model, way, ways["api" if way == "direct" else "direct"])

    return make


@pytest.fixture
def talker(make_talker: Callable[..., ChatProcess], way: str, model: FakeModel) -> ChatProcess:
    """A new user's terminal, for each way in."""
    model.scripts.clear()
    model.asked.clear()
    return make_talker(way)
