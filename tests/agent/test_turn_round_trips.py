"""The round trips of each step of a turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.chat import Chat
from tests.support.connections import Line
from tests.support.tcp_proxy import TcpProxy, open_database_proxy
from todo_cli.contract import conversations as people
from todo_cli.contract import model_texts, turn_events
from todo_cli.contract import turn_steps as ask
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask


@pytest.fixture
def far(db: Database) -> Iterator[tuple[TcpProxy, Line, Chat]]:
    """Somebody's line through a proxy that counts, and their conversation."""
    chat = Chat(db, db.person())
    with (
        closing(open_database_proxy(chat.who.database_url)) as proxy,
        closing(Line(proxy.through(chat.who.database_url), chat.who)) as line,
    ):
        yield proxy, line, chat
    chat.close()


def test_turn_steps_cost_their_round_trips(far: tuple[TcpProxy, Line, Chat]) -> None:
    proxy, line, chat = far
    found: list[tuple[str, int]] = []

    def counted(request: Request[Any]) -> Any:
        proxy.reset()
        answer = line(request, key=new_id() if request.write else None)
        found.append((type(request).__name__, proxy.round_trips))
        return answer

    chat(AddTask(title="a"))
    for _ in range(2):  # the first prepares
        found.clear()
        step = _turn(counted, chat)
        counted(people.StopTurn(turn=step["turn"]))
        counted(people.ShowConversation(number=chat.number))
        counted(people.ListConversations())
        counted(people.RenameConversation(number=chat.number, title="x"))
        counted(model_texts.StoreTitle(conversation=chat.id, turn=step["turn"], first_message="reopen 1", title="x"))
        counted(people.RewindTurn(turn=step["turn"]))
        number = chat.number
        counted(people.RemoveConversation(number=number))
        counted(people.RestoreConversation(number=number))
    assert dict(found) == {
        "BeginTurn": 2,
        "ReadReplay": 1,
        "StoreAnswer": 1,
        "StoreResults": 1,
        "RunCall": 3,
        "StoreEvents": 1,
        "ReadEvents": 1,
        "StoreSummary": 1,
        "EndTurn": 1,
        "HoldCalls": 3,
        "AnswerTurn": 3,
        "StopTurn": 2,
        "ShowConversation": 1,
        "ListConversations": 1,
        "RenameConversation": 1,
        "StoreTitle": 1,
        "RewindTurn": 1,
        "RemoveConversation": 1,
        "RestoreConversation": 1,
    }


def _turn(counted: Callable[[Request[Any]], Any], chat: Chat) -> dict[str, Any]:
    begin = ask.BeginTurn(conversation=chat.id, turn=new_id(), runner=new_id(), text="reopen 1")
    begun = counted(begin)
    step: dict[str, Any] = {"turn": begin.turn, "attempt": 1}
    counted(ask.ReadReplay(conversation=chat.id))
    wishes = (ask.MessageCall(name="reopen_task", arguments='{"number":1}'),) * 3
    stored = counted(ask.StoreAnswer(**step, after=begun.head, text="", calls=wishes))
    place: dict[str, Any] = {"message": stored.head, "arguments": {"numbers": [1]}}
    counted(ask.RunCall(**step, index=0, operation="ReopenTasks", **place))
    counted(ask.StoreResults(**step, results=(ask.RefusedCall(message=stored.head, index=1, text="no"),)))
    counted(turn_events.StoreEvents(**step, first=0, after=1, batch=({"kind": "words", "text": "x"},)))
    counted(turn_events.ReadEvents(turn=begin.turn))
    counted(model_texts.StoreSummary(**step, conversation=chat.id, reaches=begun.head, text="before"))
    counted(ask.HoldCalls(**step, calls=(ask.CallToApprove(index=2, verb="ReopenTasks", **place),)))
    counted(people.AnswerTurn(turn=begin.turn, yes=True))
    chat(ask.BeginTurn(conversation=chat.id, turn=begin.turn, runner=new_id(), text="reopen 1"))
    counted(ask.EndTurn(turn=begin.turn, attempt=2, text="done"))
    return step


def test_many_calls_cost_no_more_round_trips_than_one(far: tuple[TcpProxy, Line, Chat]) -> None:
    """Only a call that looks before it writes, as an undo does, costs one more."""
    proxy, line, chat = far

    def trips(request: Request[Any]) -> int:
        proxy.reset()
        line(request, key=new_id() if request.write else None, zone=None)
        return proxy.round_trips

    for number in range(1, 9):
        chat(AddTask(title=f"t{number}"))
    edit = [("EditTasks", {"numbers": [number], "due": "tomorrow 9am"}) for number in range(1, 9)]
    undo: list[tuple[str, dict[str, Any]]] = [
        ("CompleteTasks", {"numbers": [1]}),
        ("Undo", {}),
        ("DeleteTasks", {"numbers": [2]}),
    ]
    bad: list[tuple[str, dict[str, Any]]] = [("DeleteTasks", {"numbers": [99]}), ("DeleteTasks", {"numbers": [3]})]
    expected = {
        "one": (edit[:1], 3, 3),
        "eight": (edit, 3, 3),
        "with an undo": (undo, 3, 3),
        "with a wrong one": (bad, 3, 3),
    }
    for _ in range(2):  # the first prepares
        found = {name: (calls, *_held(trips, chat, calls, yes=True)) for name, (calls, _, _) in expected.items()}
    assert {name: row[1:] for name, row in found.items()} == {name: row[1:] for name, row in expected.items()}
    assert _held(trips, chat, edit, yes=False) == (3, 2)


def _held(trips: Callable[[Request[Any]], int], chat: Chat, calls: list[Any], *, yes: bool) -> tuple[int, int]:
    turn = new_id()
    begun = chat(ask.BeginTurn(conversation=chat.id, turn=turn, runner=new_id(), text="x"))
    step: dict[str, Any] = {"turn": turn, "attempt": 1}
    wishes = tuple(ask.MessageCall(name=verb, arguments="{}") for verb, _ in calls)
    stored = chat(ask.StoreAnswer(**step, after=begun.head, text="", calls=wishes))
    hold = tuple(
        ask.CallToApprove(message=stored.head, index=index, verb=verb, arguments=given)
        for index, (verb, given) in enumerate(calls)
    )
    found = trips(ask.HoldCalls(**step, calls=hold)), trips(people.AnswerTurn(turn=turn, yes=yes))
    chat(ask.BeginTurn(conversation=chat.id, turn=turn, runner=new_id()))
    chat(ask.EndTurn(turn=turn, attempt=2, text="done"))
    return found


def test_undo_of_a_turn_costs_three_round_trips(far: tuple[TcpProxy, Line, Chat]) -> None:
    proxy, line, chat = far
    chat(AddTask(title="a"))
    for text, call in (("finish 1", ["complete_task", {"number": 1}]), ("hello", None)):
        turn = new_id()
        chat.say(text, *([[call]] if call else []), ["Done."], turn=turn)
        for _ in range(2):  # the first prepares
            found = []
            for request in (
                people.UndoTurn(turn=turn, dry_run=True),
                people.UndoTurn(turn=turn),
                people.RedoTurn(turn=turn),
            ):
                proxy.reset()
                line(request, key=new_id())
                found.append(proxy.round_trips)
        assert found == ([3, 3, 3] if call else [2, 2, 2])
