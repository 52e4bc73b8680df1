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
    """One case: `prepare` returns the request; `go_on` continues, whether or not the request has acted."""

    prepare: Callable[[Chat], Request[Any]]
    go_on: Callable[[Chat, Request[Any], str], None]


def _add_three_tasks(chat: Chat) -> None:
    for title in ("a", "b", "c"):
        chat(AddTask(title=title))


def _begin_turn(chat: Chat) -> dict[str, Any]:
    begin = BeginTurn(conversation=chat.id, turn=new_id(), runner=new_id(), text=TEXT, lease=LEASE)
    chat(begin)
    return {"turn": begin.turn, "attempt": 1, "lease": LEASE}


def _store_calls(chat: Chat) -> tuple[dict[str, Any], int]:
    step = _begin_turn(chat)
    calls = tuple(MessageCall(name=name, arguments=_encode(given)) for name, given in BOTH)
    head = chat(StoreAnswer(**step, after=1, text="", calls=calls)).head
    return step, head


def _encode(given: Any) -> str:
    import json

    return json.dumps(given)


def _prepare_hold(chat: Chat) -> HoldCalls:
    _add_three_tasks(chat)
    step, head = _store_calls(chat)
    calls = tuple(
        CallToApprove(message=head, index=at, verb=verb, arguments=given) for at, (verb, given) in enumerate(VERBS)
    )
    return HoldCalls(turn=step["turn"], attempt=1, calls=calls)


def _hold_and_approve(chat: Chat, request: Any, key: str) -> None:
    chat.lapse()
    assert chat.say(TEXT, BOTH, ["Done."], turn=request.turn).state == "awaiting"
    chat(AnswerTurn(turn=request.turn, yes=True))
    _finish_turn(chat, request, key)


def _finish_turn(chat: Chat, request: Any, key: str) -> None:
    assert chat.say(None, BOTH, ["Done."], turn=request.turn).state == "done"


def _wait_for_approval(chat: Chat) -> str:
    _add_three_tasks(chat)
    turn = new_id()
    assert chat.say(TEXT, BOTH, ["Done."], turn=turn).state == "awaiting"
    return turn


def _repeat(chat: Chat, request: Any, key: str) -> None:
    chat(request, key)


def _repeat_and_finish(chat: Chat, request: Any, key: str) -> None:
    _repeat(chat, request, key)
    _finish_turn(chat, request, key)


def _leave_dead_turn(chat: Chat) -> StopTurn:
    _add_three_tasks(chat)
    step, head = _store_calls(chat)
    chat(StoreEvents(**step, first=0, after=head, batch=({"kind": "words", "text": "And then"},)))
    chat.lapse()
    return StopTurn(turn=step["turn"])


def _complete_turn(chat: Chat) -> str:
    chat(AddTask(title="a"))
    turn = new_id()
    calls = [["add_task", {"title": "b"}], ["complete_task", {"number": 1}]]
    assert chat.say("add b, finish 1", calls, ["Done."], turn=turn).state == "done"
    return turn


def _prepare_redo(chat: Chat) -> RedoTurn:
    turn = _complete_turn(chat)
    chat(UndoTurn(turn=turn))
    return RedoTurn(turn=turn)


def _prepare_summary(chat: Chat) -> StoreSummary:
    for name in ("one", "two"):
        chat.say(name, [name])
    step = _begin_turn(chat)
    return StoreSummary(**step, conversation=chat.id, reaches=2, text="They said one.")


def _store_summary_anew(chat: Chat, request: Any, key: str) -> None:
    chat.lapse()
    attempt = chat(BeginTurn(conversation=chat.id, turn=request.turn, runner=new_id())).attempt
    step = {"turn": request.turn, "attempt": attempt}
    chat(StoreSummary(**step, conversation=chat.id, reaches=2, text="They said one."))
    chat(EndTurn(**step, text="three"))


CASES = {
    "hold": Case(_prepare_hold, _hold_and_approve),
    "yes": Case(lambda chat: AnswerTurn(turn=_wait_for_approval(chat), yes=True), _repeat_and_finish),
    "no": Case(lambda chat: AnswerTurn(turn=_wait_for_approval(chat), yes=False), _repeat_and_finish),
    "stop one that waits": Case(lambda chat: StopTurn(turn=_wait_for_approval(chat)), _repeat),
    "stop one that has died": Case(_leave_dead_turn, _repeat),
    "undo": Case(lambda chat: UndoTurn(turn=_complete_turn(chat)), _repeat),
    "redo": Case(_prepare_redo, _repeat),
    "summary": Case(_prepare_summary, _store_summary_anew),
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
