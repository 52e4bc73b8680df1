"""The requests of a conversation in which a process may be interrupted, and how another process continues."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.support.chat import Chat
from todo_cli.contract.base import Request
from todo_cli.contract.conversations import AnswerTurn, RedoTurn, StopTurn, UndoTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.model_texts import StoreSummary
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.turn_events import StoreEvents
from todo_cli.contract.turn_steps import (
    BeginTurn,
    CallToApprove,
    EndTurn,
    HoldCalls,
    MessageCall,
    StoreAnswer,
)

TEXT = "delete 1 and 99, finish 2 and 3"
BOTH = [["delete_task", {"number": 1}], ["complete_task", {"numbers": [2, 3]}], ["delete_task", {"number": 99}]]
VERBS = (("DeleteTasks", {"numbers": [1]}), ("CompleteTasks", {"numbers": [2, 3]}), ("DeleteTasks", {"numbers": [99]}))
LEASE = 0.4


class Case(NamedTuple):
    """One case: `before` prepares and returns the request; `after` continues, however often the request was sent."""

    before: Callable[[Chat], Request[Any]]
    on: Callable[[Chat, Request[Any], str], None]


def _three(chat: Chat) -> None:
    for title in ("a", "b", "c"):
        chat(AddTask(title=title))


def _running(chat: Chat) -> dict[str, Any]:
    begin = BeginTurn(conversation=chat.id, turn=new_id(), runner=new_id(), text=TEXT, lease=LEASE)
    chat(begin)
    return {"turn": begin.turn, "attempt": 1, "lease": LEASE}


def _wished(chat: Chat) -> tuple[dict[str, Any], int]:
    step = _running(chat)
    calls = tuple(MessageCall(name=name, arguments=_json(given)) for name, given in BOTH)
    head = chat(StoreAnswer(**step, after=1, text="", calls=calls)).head
    return step, head


def _json(given: Any) -> str:
    import json

    return json.dumps(given)


def _holds(chat: Chat) -> HoldCalls:
    _three(chat)
    step, head = _wished(chat)
    calls = tuple(
        CallToApprove(message=head, index=at, verb=verb, arguments=given) for at, (verb, given) in enumerate(VERBS)
    )
    return HoldCalls(turn=step["turn"], attempt=1, calls=calls)


def _is_asked(chat: Chat, request: Any, key: str) -> None:
    chat.lapse()
    assert chat.say(TEXT, BOTH, ["Done."], turn=request.turn).state == "awaiting"
    chat(AnswerTurn(turn=request.turn, yes=True))
    _goes_on(chat, request, key)


def _goes_on(chat: Chat, request: Any, key: str) -> None:
    assert chat.say(None, BOTH, ["Done."], turn=request.turn).state == "done"


def _waits(chat: Chat) -> str:
    _three(chat)
    turn = new_id()
    assert chat.say(TEXT, BOTH, ["Done."], turn=turn).state == "awaiting"
    return turn


def _again(chat: Chat, request: Any, key: str) -> None:
    chat(request, key)


def _answered(chat: Chat, request: Any, key: str) -> None:
    _again(chat, request, key)
    _goes_on(chat, request, key)


def _dead(chat: Chat) -> StopTurn:
    _three(chat)
    step, head = _wished(chat)
    chat(StoreEvents(**step, first=0, after=head, batch=({"kind": "words", "text": "And then"},)))
    chat.lapse()
    return StopTurn(turn=step["turn"])


def _done(chat: Chat) -> str:
    chat(AddTask(title="a"))
    turn = new_id()
    calls = [["add_task", {"title": "b"}], ["complete_task", {"number": 1}]]
    assert chat.say("add b, finish 1", calls, ["Done."], turn=turn).state == "done"
    return turn


def _undone(chat: Chat) -> RedoTurn:
    turn = _done(chat)
    chat(UndoTurn(turn=turn))
    return RedoTurn(turn=turn)


def _summarises(chat: Chat) -> StoreSummary:
    for name in ("one", "two"):
        chat.say(name, [name])
    step = _running(chat)
    return StoreSummary(**step, conversation=chat.id, reaches=2, text="They said one.")


def _summarised(chat: Chat, request: Any, key: str) -> None:
    chat.lapse()
    attempt = chat(BeginTurn(conversation=chat.id, turn=request.turn, runner=new_id())).attempt
    step = {"turn": request.turn, "attempt": attempt}
    chat(StoreSummary(**step, conversation=chat.id, reaches=2, text="They said one."))
    chat(EndTurn(**step, text="three"))


CASES = {
    "hold": Case(_holds, _is_asked),
    "yes": Case(lambda chat: AnswerTurn(turn=_waits(chat), yes=True), _answered),
    "no": Case(lambda chat: AnswerTurn(turn=_waits(chat), yes=False), _answered),
    "stop one that waits": Case(lambda chat: StopTurn(turn=_waits(chat)), _again),
    "stop one that has died": Case(_dead, _again),
    "undo": Case(lambda chat: UndoTurn(turn=_done(chat)), _again),
    "redo": Case(_undone, _again),
    "summary": Case(_summarises, _summarised),
}


def snapshot_of(chat: Chat) -> dict[str, Any]:
    """Return the state that must not depend on the interruption, after one more message was answered."""
    assert chat.say("next", ["ok"]).state == "done"  # the script looks whether the request is a valid one
    mine = "space_id = %s ORDER BY 1"
    read = {
        "changes": f"SELECT verb, undoes IS NULL, redo FROM todo.changes WHERE {mine}, 2, 3",
        "plans": f"SELECT state, verb FROM todo.plans WHERE {mine}, 2",
        "turns": f"SELECT state, approved FROM todo.turns WHERE {mine}, 2",
        "summaries": f"SELECT content FROM todo.messages WHERE role = 'summary' AND {mine}",
        "dead": f"SELECT content FROM todo.messages WHERE status = 'dead' AND {mine}",
    }
    found: dict[str, Any] = {name: chat.db.execute(sql, chat.who.user_id) for name, sql in read.items()}
    return found | {"history": chat.history(), "tasks": chat.tasks()}
