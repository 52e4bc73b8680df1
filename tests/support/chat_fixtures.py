"""`chat`: a conversation of somebody new; `make_chat` for others, of theirs or of anybody's."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator

import pytest

from tests.conftest import Database, Person, Server, Todo, start_server
from tests.support.chat import Chat
from tests.support.chat_process import Talker, with_model
from tests.support.fake_model import Scripted, scripted


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
def model() -> Iterator[Scripted]:
    """A model that answers what it is told to."""
    with scripted() as running:
        running.strict = True
        yield running


@pytest.fixture(scope="module")
def chat_server(db: Database, model: Scripted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has the model."""
    running = start_server(tmp_path_factory.mktemp("chat"), db, env=with_model(model))
    yield running
    running.stop(signal.SIGKILL)


@pytest.fixture
def make_talker(
    db: Database, model: Scripted, chat_server: Server, as_person: Callable[..., Todo], request: pytest.FixtureRequest
) -> Callable[..., Talker]:
    """Somebody at a terminal: make_talker(way)."""

    def make(way: str, who: Person | None = None) -> Talker:
        who = who or db.person()
        ways = {one: as_person(who, one, url=chat_server.url) for one in ("direct", "api")}
        ways["direct"].env |= with_model(model)
        return Talker(db, who, ways[way], model, way, ways["api" if way == "direct" else "direct"])

    return make


@pytest.fixture
def talker(make_talker: Callable[..., Talker], way: str, model: Scripted) -> Talker:
    """Somebody new, each way in."""
    model.scripts.clear()
    model.asked.clear()
    return make_talker(way)
