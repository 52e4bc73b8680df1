"""A turn whose process is killed at any point is continued by another process, with the same result.

The points are counted in a run that is not killed: before every statement, after every round trip, around every event of
the model. At each of them a process kills itself; another one goes on with the same turn.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import msgspec
import pytest

from tests.conftest import Database, wait_for
from tests.support.chat import Chat
from tests.support.task_rows import NOW
from tests.support.turn_driver import finish_driver
from todo_cli.agent.messages import build_request, protocol_errors
from todo_cli.agent.prompts import date_line
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.tasks import AddTask

ROUNDS = (
    ["I add ", "two.", ["add_task", {"title": "milk"}], ["add_task", {"title": "bread"}]],
    [["complete_task", {"number": 1}], ["show_task", {"number": 99}]],
    ["All ", "done."],
)
TEXT = "add milk and bread, finish 1, show 99"
LEASE = 0.4
LONGEST = 170
"""More points than a turn has: at those beyond its end no process is killed."""


class StoredTurn(NamedTuple):
    """What a finished turn leaves behind."""

    history: list[tuple[str, str]]
    tasks: list[Any]
    verbs: list[str]
    protocol_errors: list[str]
    """What is wrong with the messages that the next request to the model would send."""


def read_stored_turn(chat: Chat) -> StoredTurn:
    messages = chat.replay()
    last = messages[-1]
    next_message = msgspec.structs.replace(last, role="user", turn=new_id(), seq=last.seq + 1, content="next")
    request = build_request([*messages, next_message], None, date_line(NOW, "UTC"))
    changes = chat(ListChanges(limit=100)).changes
    history = [(role, text) for role, text in chat.history()]
    return StoredTurn(history, chat.tasks(), sorted(change.verb for change in changes), protocol_errors(request))


@pytest.fixture(scope="module")
def undisturbed(db: Database) -> tuple[StoredTurn, int]:
    """The same turn when no process is killed, and the number of its points."""
    chat = Chat(db, db.person())
    try:
        chat(AddTask(title="old"))
        result = finish_driver(chat.start(TEXT, *ROUNDS, lease=30))
        assert result["ended"]["state"] == "done", result
        return read_stored_turn(chat), result["points"]
    finally:
        chat.close()


def run_killed_turn(db: Database, point: int) -> tuple[StoredTurn, bool]:
    """Kill a process at a point of the turn and let another one continue; return whether the turn had that point."""
    chat, turn = Chat(db, db.person()), new_id()
    try:
        chat(AddTask(title="old"))
        result = finish_driver(chat.start(TEXT, *ROUNDS, turn=turn, lease=LEASE, die=point), killed=True)
        if not result:
            chat.lapse()
            second = finish_driver(chat.start(TEXT, *ROUNDS, turn=turn, lease=30))
            assert second["ended"].get("state") == "done", second
        return read_stored_turn(chat), not result
    finally:
        chat.close()


def test_undisturbed_turn_acts_once_and_can_be_continued(undisturbed: tuple[StoredTurn, int]) -> None:
    stored, _ = undisturbed
    assert stored.verbs == ["AddTask", "AddTask", "AddTask", "CompleteTasks"]
    assert stored.history[-1][0] == "assistant"
    assert stored.protocol_errors == []


@pytest.mark.parametrize("point", sorted(random.Random(3).sample(range(1, LONGEST), 12)))
def test_turn_killed_at_a_point_continues_elsewhere(
    db: Database, undisturbed: tuple[StoredTurn, int], point: int
) -> None:
    stored, _ = run_killed_turn(db, point)
    assert stored == undisturbed[0]


@pytest.mark.long
def test_turn_killed_anywhere_continues_elsewhere(db: Database, undisturbed: tuple[StoredTurn, int]) -> None:
    expected, points = undisturbed
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda point: run_killed_turn(db, point), range(1, LONGEST)))
    assert [point for point, (stored, _) in enumerate(results, 1) if stored != expected] == []
    killed = [was_killed for _, was_killed in results]
    assert sum(killed) > points * 0.9
    assert not all(killed), "LONGEST is too short"


@pytest.mark.parametrize("point", [20, 45, 60, 80, 100])
def test_message_after_a_killed_turn_is_answered(db: Database, point: int) -> None:
    """The dead turn is settled first: its open calls are closed, and no effect is lost or done twice."""
    chat = Chat(db, db.person())
    try:
        chat(AddTask(title="old"))
        turn = new_id()
        assert not finish_driver(chat.start(TEXT, *ROUNDS, turn=turn, lease=LEASE, die=point), killed=True)
        chat.lapse()
        assert chat.say("hello?", ["yes"]).state == "done"
        titles = [title for _, title, _ in chat.tasks()]
        assert len(titles) == len(set(titles))
        assert protocol_errors(chat.asked[-1]) == []
        assert [text for role, text in chat.history() if role == "user"][-1] == "hello?"
        results = [text for role, text in chat.history() if role == "tool"]
        added = sum('"title":"milk"' in text or '"title":"bread"' in text for text in results)
        assert added == len(titles) - 1 or '"number":1' in "".join(results)
    finally:
        chat.close()


def test_answer_of_a_killed_attempt_stays_off_the_branch(db: Database) -> None:
    chat, turn = Chat(db, db.person()), new_id()
    try:
        slow = chat.start("tell", ["a long "] * 40, turn=turn, pause=0.1, lease=LEASE)
        wait_for(lambda: len(chat.db.execute("SELECT 1 FROM todo.events WHERE turn_id = %s", turn)) > 1)
        slow.kill()
        slow.communicate()
        chat.lapse()
        told: list[Any] = []
        assert chat.say("tell", ["short"], turn=turn, emit=told.append).state == "done"
        assert told[0] == {"kind": "reset"}
        assert chat.history() == [("user", "tell"), ("assistant", "short")]
        dead = chat.db.execute("SELECT content FROM todo.messages WHERE turn_id = %s AND status = 'dead'", turn)
        assert dead[0][0].startswith("a long a long ")
    finally:
        chat.close()


def test_four_senders_on_one_conversation_take_turns(db: Database) -> None:
    """Each message is asked once, one after another; who finds it busy hears so at once."""
    chat = Chat(db, db.person())
    try:

        def sends(number: int) -> int:
            turn, tries = new_id(), 0
            while True:
                tries += 1
                rounds = [[["add_task", {"title": f"task {number}"}]], [f"done {number}"]]
                ended = finish_driver(chat.start(f"add {number}", *rounds, turn=turn))["ended"]
                if "error" not in ended or not isinstance(ended["error"], dict) or "reason" not in ended["error"]:
                    assert ended["state"] == "done", ended
                    return tries
                assert ended["error"]["reason"] == "busy"

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(sends, range(4)))
        roles = "".join(role[0] for role, _ in chat.history())
        assert roles == "uata" * 4
        assert sorted(title for _, title, _ in chat.tasks()) == [f"task {number}" for number in range(4)]
    finally:
        chat.close()


def test_runner_with_an_expired_lease_is_fenced(db: Database) -> None:
    """A runner that is too slow for its lease is taken over, and whatever it then does is refused."""
    chat, turn = Chat(db, db.person()), new_id()
    try:
        slow = chat.start("add", [" "] * 30 + [["add_task", {"title": "x"}]], ["slow"], turn=turn, pause=0.1)
        wait_for(lambda: bool(chat.db.execute("SELECT 1 FROM todo.turns WHERE id = %s", turn)))
        chat.lapse()
        ended = chat.say("add", [["add_task", {"title": "x"}]], ["quick"], turn=turn)
        zombie = finish_driver(slow)["ended"]
        if ended.mine:
            assert ended.state == "done"
            assert zombie["error"]["reason"] == "fenced"
        assert [title for _, title, _ in chat.tasks()] == ["x"]
        assert [role for role, _ in chat.history()] == ["user", "assistant", "tool", "assistant"]
    finally:
        chat.close()
