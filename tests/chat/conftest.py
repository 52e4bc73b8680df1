"""`chat`: a conversation of somebody new; `make_chat` for others, of theirs or of anybody's."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.chat.chatting import Chat
from tests.conftest import Database, Person


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
