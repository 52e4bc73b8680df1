"""Conversation Requests over HTTP and directly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.conftest import Server
from tests.support.ask import settings_of
from tests.support.chat import Chat
from todo_cli.clients.open import open_client
from todo_cli.contract import conversations as people
from todo_cli.contract import model_texts, turn_events
from todo_cli.contract import turn_steps as ask
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id
from todo_cli.contract.registry import requests_in
from todo_cli.contract.tasks import AddTask
from todo_cli.errors import Conflict, Invalid, NotFound


@pytest.fixture
def send(chat: Chat, way: str, request: pytest.FixtureRequest) -> Iterator[Callable[[Request[Any]], Any]]:
    """The conversation's owner, each way in."""
    server: Server | None = request.getfixturevalue("server") if way == "api" else None
    backend = open_client(settings_of(chat.who, way, server=server.url if server else None))
    yield backend.send_now
    backend.close()


def test_conversation_commands_over_each_client_change_it(chat: Chat, send: Callable[[Request[Any]], Any]) -> None:
    turn = new_id()
    chat(AddTask(title="a"))
    chat.say("hello", ["hi"])
    chat.say("delete 1", [["delete_task", {"number": 1}]], ["Done."], turn=turn)
    (listed,) = send(people.ListConversations()).conversations
    assert (listed.number, listed.title, listed.state, listed.turn) == (1, "hello", "awaiting", turn)
    with pytest.raises(Conflict):
        send(people.MoveHead(number=1, to=2))
    with pytest.raises(Conflict):
        send(people.UndoTurn(turn=turn))
    assert send(people.AnswerTurn(turn=turn, yes=True)).approved
    with pytest.raises(Conflict):
        send(people.AnswerTurn(turn=turn, yes=False))
    assert chat.say("delete 1", [], ["Done."], turn=turn).state == "done"
    shown = send(people.ShowConversation(number=1))
    assert [message.role for message in shown.messages] == [
        "user",
        "assistant",
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert send(people.UndoTurn(turn=turn, dry_run=True)).differences
    assert chat.tasks() == [(1, "a", "deleted")]
    send(people.UndoTurn(turn=turn))
    assert (chat.tasks(), len(chat.history())) == ([(1, "a", "open")], 2)
    send(people.RedoTurn(turn=turn))
    assert (chat.tasks(), len(chat.history())) == ([(1, "a", "deleted")], 6)
    assert send(people.RenameConversation(number=1, title="Milk")).title == "Milk"
    assert send(people.MoveHead(number=1, to=2)).head == 2
    fork = people.ForkConversation(number=1, id=new_id())
    assert send(fork).number == 2
    assert send(fork).number == 2
    assert send(people.StopTurn(turn=turn)).state == "done"


def test_missing_conversation_over_each_client_is_refused(chat: Chat, send: Callable[[Request[Any]], Any]) -> None:
    chat.say("hello", ["hi"])
    none, asked = (
        new_id(),
        [
            people.ShowConversation(number=9),
            people.RenameConversation(number=9, title="x"),
            people.MoveHead(number=9, to=0),
        ],
    )
    asked += [
        people.ForkConversation(number=9, id=none),
        people.StopTurn(turn=none),
        people.AnswerTurn(turn=none, yes=True),
        people.UndoTurn(turn=none),
        people.RedoTurn(turn=none),
        people.RewindTurn(turn=none),
        people.RemoveConversation(number=9),
        people.RestoreConversation(number=9),
    ]
    for request in asked:
        with pytest.raises(NotFound):
            send(request)
    for request in (
        people.ListConversations(cursor="x"),
        people.RenameConversation(number=1, title=" "),
        people.MoveHead(number=1, to=1),
        people.ForkConversation(number=1, id=new_id(), at=1),
    ):
        with pytest.raises(Invalid):
            send(request)


def test_conversation_requests_are_not_tools() -> None:
    assert not any(
        request.tool for module in (ask, turn_events, model_texts, people) for request in requests_in(module)
    )
