"""Calls that need approval wait for it, and an approval runs exactly the shown calls once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Database, Server
from tests.support.ask import settings_of
from tests.support.chat import Chat
from todo_cli.agent.messages import protocol_errors
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.pending_calls import draw_choices
from todo_cli.cli.render.signs import UNICODE_SIGNS
from todo_cli.clients.open import open_client
from todo_cli.contract.conversations import AnswerTurn, ChosenTasks, StopTurn, UndoTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Undo
from todo_cli.contract.plans import ApplyPlan, Plan, PlanTarget
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ShowTask
from todo_cli.contract.turn_steps import PendingCall
from todo_cli.errors import Conflict, Invalid, NotFound


@pytest.fixture
def held(chat: Chat) -> str:
    """A turn that waits to delete task 1 and finish 2 and 3."""
    for title in ("a", "b", "c"):
        chat(AddTask(title=title))
    turn = new_id()
    both = [["delete_task", {"number": 1}], ["complete_task", {"numbers": [2, 3]}], ["list_tasks", {}]]
    ended = chat.say("delete 1, finish 2 and 3", both, ["Done."], turn=turn)
    assert (ended.state, len(ended.held)) == ("awaiting", 2)
    assert [target.number for call in ended.held for target in call.plan.targets] == [1, 2, 3]
    assert chat.tasks() == [(1, "a", "open"), (2, "b", "open"), (3, "c", "open")]
    return turn


def go_on(chat: Chat, turn: str, *rounds: Any) -> Any:
    """Another runner takes up the turn that was answered."""
    return chat.say("delete 1, finish 2 and 3", [], *(rounds or (["Done."],)), turn=turn)


def results(chat: Chat) -> list[Any]:
    """What the calls were answered, in the order of the line."""
    return [json.loads(text) for role, text in chat.history() if role == "tool"]


def test_approval_runs_the_shown_calls(chat: Chat, held: str) -> None:
    answered = chat(AnswerTurn(turn=held, yes=True))
    assert (answered.state, answered.approved) == ("answered", True)
    assert [status for _, _, status in chat.tasks()] == ["deleted", "done", "done"]
    ended = go_on(chat, held)
    assert (ended.state, ended.text) == ("done", "Done.")
    assert [role for role, _ in chat.history()] == ["user", "assistant", "tool", "tool", "tool", "assistant"]
    assert protocol_errors(chat.asked[-1]) == []
    chat(Undo())
    assert {status for _, _, status in chat.tasks()} == {"open"}


def test_rejection_returns_to_the_model(chat: Chat, held: str) -> None:
    assert chat(AnswerTurn(turn=held, yes=False)).approved is False
    assert go_on(chat, held, ["As you like."]).text == "As you like."
    assert [result.get("error") for result in results(chat)] == ["refused", "refused", None]
    assert {status for _, _, status in chat.tasks()} == {"open"}


def test_approval_of_some_calls_rejects_the_others(chat: Chat, held: str) -> None:
    for wrong in (
        AnswerTurn(turn=held, yes=True, only=(2,)),
        AnswerTurn(turn=held, yes=False, only=(0,)),
        AnswerTurn(turn=held, yes=True, only=()),
    ):
        with pytest.raises(Invalid):
            chat(wrong)
    assert {status for _, _, status in chat.tasks()} == {"open"}
    assert chat(AnswerTurn(turn=held, yes=True, only=(1, 1))).approved is True
    assert [status for _, _, status in chat.tasks()] == ["open", "done", "done"]
    assert go_on(chat, held).state == "done"
    assert [result.get("error") for result in results(chat)] == ["refused", None, None]
    assert protocol_errors(chat.asked[-1]) == []
    chat(UndoTurn(turn=held))
    assert {status for _, _, status in chat.tasks()} == {"open"}


@pytest.mark.parametrize("way", ["direct", "api"])
def test_approval_of_some_tasks_of_a_call_rejects_the_others(
    chat: Chat, held: str, way: str, request: pytest.FixtureRequest
) -> None:
    server: Server | None = request.getfixturevalue("server") if way == "api" else None
    with closing(open_client(settings_of(chat.who, way, server=server.url if server else None))) as client:
        for place, number in ((1, 1), (2, 3), (0, 2)):
            with pytest.raises(Invalid):
                client.send_now(AnswerTurn(turn=held, yes=True, only=(ChosenTasks(call=place, numbers=(number,)),)))
        chat(EditTasks(numbers=(2,), title="b, but refused"))
        chosen = AnswerTurn(turn=held, yes=True, only=(ChosenTasks(call=1, numbers=(3,)),))
        assert [client.send_now(chosen).approved for _ in range(2)] == [True, True]
    assert [status for _, _, status in chat.tasks()] == ["open", "open", "done"]
    go_on(chat, held)
    refused, changed, _ = results(chat)
    assert refused["error"] == "refused"
    assert [task["number"] for task in changed["tasks"]] == [3]
    assert changed["refused"] == [{"number": 2, "title": "b"}]
    assert "do not ask again" in changed["hint"]
    chat(UndoTurn(turn=held))
    assert {status for _, _, status in chat.tasks()} == {"open"}


def test_approval_of_one_of_several_subtasks_completes_it_alone(chat: Chat) -> None:
    chat(AddTask(title="a"))
    for title in ("b", "c"):
        chat(AddTask(title=title, parent=1))
    turn = new_id()
    call = ["complete_task", {"number": 1, "with_subtasks": True}]
    assert chat.say("finish 1", [call], ["Done."], turn=turn).state == "awaiting"
    chat(AnswerTurn(turn=turn, yes=True, only=(ChosenTasks(call=0, numbers=(2,)),)))
    assert [status for _, _, status in chat.tasks()] == ["open", "done", "open"]


def test_approval_of_some_tasks_of_an_applied_plan_is_a_conflict(chat: Chat, held: str) -> None:
    plan = chat.db.execute("SELECT id FROM todo.plans WHERE space_id = %s AND verb = 'CompleteTasks'", chat.who.user_id)
    chat(ApplyPlan(id=str(plan[0][0])))
    chat(AnswerTurn(turn=held, yes=True, only=(ChosenTasks(call=1, numbers=(3,)),)))
    go_on(chat, held)
    assert [result.get("error") for result in results(chat)] == ["refused", "conflict", None]


def test_approval_sent_twice_changes_nothing_and_another_is_refused(chat: Chat, held: str) -> None:
    first = chat(AnswerTurn(turn=held, yes=True))
    assert chat(AnswerTurn(turn=held, yes=True)).approved == first.approved
    with pytest.raises(Conflict, match="approved already"):
        chat(AnswerTurn(turn=held, yes=False))
    verbs = [change.verb for change in chat(ListChanges()).changes]
    assert (verbs.count("DeleteTasks"), verbs.count("CompleteTasks")) == (1, 1)
    go_on(chat, held)
    assert chat(AnswerTurn(turn=held, yes=True)).state == "done"


def test_approval_sent_twice_at_once_acts_once(chat: Chat, held: str, make_chat: Callable[..., Chat]) -> None:
    others = [make_chat(conversation=chat.id) for _ in range(4)]

    def answer(one: Chat) -> str:
        try:
            return one(AnswerTurn(turn=held, yes=one is not others[0])).state
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(answer, others))
    assert said.count("refused") in (1, 3)
    verbs = [change.verb for change in chat(ListChanges()).changes]
    assert verbs.count("DeleteTasks") == (1 if said[0] == "refused" else 0)


def test_approval_of_a_changed_task_leaves_it_alone(chat: Chat, held: str) -> None:
    chat(EditTasks(numbers=(2,), title="b, but another"))
    chat(AnswerTurn(turn=held, yes=True))
    assert [status for _, _, status in chat.tasks()] == ["deleted", "open", "open"]
    go_on(chat, held)
    found = results(chat)
    assert [result.get("error") for result in found] == [None, "conflict", None]
    assert "moved on" in found[1]["detail"]


def test_approval_after_the_expiry_changes_nothing(chat: Chat, held: str) -> None:
    chat.db.execute("UPDATE todo.plans SET expires_at = now() WHERE space_id = %s", chat.who.user_id)
    chat(AnswerTurn(turn=held, yes=True))
    assert {status for _, _, status in chat.tasks()} == {"open"}
    go_on(chat, held)
    assert ["expired" in result.get("detail", "") for result in results(chat)] == [True, True, False]


def test_new_message_before_the_approval_rejects_the_calls(chat: Chat, held: str) -> None:
    assert chat.say("what is the weather?", ["No idea."]).state == "done"
    assert {status for _, _, status in chat.tasks()} == {"open"}
    with pytest.raises(Conflict, match="refused already"):
        chat(AnswerTurn(turn=held, yes=True))
    assert protocol_errors(chat.asked[-1]) == []
    assert [role for role, _ in chat.history()][-3:] == ["assistant", "user", "assistant"]


def test_stop_before_the_approval_rejects_the_calls(chat: Chat, held: str) -> None:
    assert chat(StopTurn(turn=held)).state == "stopped"
    with pytest.raises(Conflict):
        chat(AnswerTurn(turn=held, yes=True))
    assert chat.say("hello", ["hi"]).state == "done"


def test_approval_of_an_applied_plan_acts_once(chat: Chat, held: str) -> None:
    plan = chat.db.execute("SELECT id FROM todo.plans WHERE space_id = %s AND verb = 'DeleteTasks'", chat.who.user_id)
    chat(ApplyPlan(id=str(plan[0][0])))
    chat(AnswerTurn(turn=held, yes=True))
    verbs = [change.verb for change in chat(ListChanges()).changes]
    assert (verbs.count("DeleteTasks"), verbs.count("CompleteTasks")) == (1, 1)


def test_approval_of_another_user_s_turn_is_not_found(held: str, make_chat: Callable[..., Chat], db: Database) -> None:
    with pytest.raises(NotFound):
        make_chat(db.person())(AnswerTurn(turn=held, yes=True))


def test_impossible_call_needs_no_approval(chat: Chat) -> None:
    ended = chat.say("delete 99", [["delete_task", {"number": 99}]], ["There is none."])
    assert (ended.state, results(chat)[0]["error"]) == ("done", "not-found")


def test_approval_limit_counts_all_calls_of_the_turn(chat: Chat) -> None:
    chat(AddTask(title="a"))
    chat(AddTask(title="b"))
    one_each = [["complete_task", {"number": 1}]], [["complete_task", {"number": 2}]]
    ended = chat.say("finish 1 and 2", *one_each, ["Done."])
    assert (ended.state, [status for _, _, status in chat.tasks()]) == ("awaiting", ["done", "open"])
    assert chat.say("never mind", ["ok"]).state == "done"
    together = [["complete_task", {"number": 1}], ["reopen_task", {"number": 1}]]
    assert chat.say("finish 1, and not", together, ["Done."]).state == "done"  # one task


def test_adds_up_to_twenty_need_no_approval(chat: Chat) -> None:
    calls = [["add_task", {"title": f"t{n}"}] for n in range(22)]
    turn = new_id()
    ended = chat.say("add 22", calls, ["Done."], turn=turn)
    assert (ended.state, len(ended.held), len(chat.tasks())) == ("awaiting", 2, 20)
    chat(AnswerTurn(turn=turn, yes=True))
    assert len(chat.tasks()) == 22


def test_approval_of_an_undo_runs_the_shown_undo(chat: Chat) -> None:
    chat(AddTask(title="a"))
    chat(CompleteTasks(numbers=(1,)))
    turn = new_id()
    ended = chat.say("undo that", [["undo", {}]], ["Undone."], turn=turn)
    assert ended.state == "awaiting"
    chat(AddTask(title="meanwhile"))
    chat(AnswerTurn(turn=turn, yes=True))
    assert chat.tasks() == [(1, "a", "open"), (2, "meanwhile", "open")]
    assert chat.say("undo that", [], ["Undone."], turn=turn).state == "done"
    chat(UndoTurn(turn=turn))
    assert chat(ShowTask(number=1)).status == "done"


def test_two_calls_on_one_task_are_planned_before_the_first_acts(chat: Chat) -> None:
    for title in ("a", "x"):
        chat(AddTask(title=title))
    turn = new_id()
    calls = [["update_task", {"numbers": [1, 2], "title": "b"}], ["delete_task", {"number": 1}]]
    assert len(chat.say("rename 1 and 2, delete 1", calls, ["Done."], turn=turn).held) == 2
    chat(AnswerTurn(turn=turn, yes=True))
    assert chat.tasks() == [(1, "b", "deleted"), (2, "b", "open")]


def test_approved_turn_continues_without_its_text(chat: Chat, held: str) -> None:
    chat(AnswerTurn(turn=held, yes=True))
    assert chat.say(None, [], ["Done."], turn=held).state == "done"
    with pytest.raises(NotFound):
        chat.say(None, ["x"])


def test_read_behind_a_held_call_runs_after_the_approval(chat: Chat, held: str) -> None:
    assert [role for role, _ in chat.history()] == ["user", "assistant"]
    chat(AnswerTurn(turn=held, yes=True))
    go_on(chat, held)
    *_, listed = results(chat)
    assert listed["tasks"] == [], "the list is empty: task 1 is deleted, 2 and 3 are done"


def test_choice_of_a_call_that_changes_nothing_names_its_task() -> None:
    target = PlanTarget(number=6, rev=1, title="Iron shirts")
    plan = Plan(
        id="p",
        verb="DeleteTasks",
        arguments={"numbers": [6]},
        state="open",
        targets=(target,),
        differences=(),
        made_at=datetime.now(UTC),
        expires_at=datetime.now(UTC),
    )
    view = ListView(UTC, datetime.now(UTC), UNICODE_SIGNS)
    (line,) = draw_choices([PendingCall(message=1, index=0, plan=plan)], view, 80)
    assert "".join(piece.text for piece in line) == "  rm  #6 Iron shirts  no changes"
