"""Killed anywhere, a turn is gone on with by another process as if nothing had happened.

The points are counted in a run that is not killed: before every statement, after every round trip, around every event of
the model. At each of them a process kills itself; another one goes on with the same turn.
"""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

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
"""More points than a turn has: those beyond its end kill nobody."""


def _history(chat: Chat) -> list[tuple[str, str]]:
    return [(role, text) for role, text in chat.history()]


@pytest.fixture(scope="module")
def whole(db: Database) -> Any:
    """The same turn when nobody dies: its history, tasks, and points."""
    chat = Chat(db, db.person())
    chat(AddTask(title="old"))
    found = finish_driver(chat.start(TEXT, *ROUNDS, lease=30))
    assert found["ended"]["state"] == "done", found
    yield _history(chat), chat.tasks(), found["points"]
    chat.close()


def check(chat: Chat, whole: Any) -> None:
    """As if nobody had died."""
    history, tasks, _ = whole
    assert _history(chat) == history
    assert chat.tasks() == tasks
    changes = chat(ListChanges(limit=100)).changes
    assert sorted(change.verb for change in changes) == ["AddTask", "AddTask", "AddTask", "CompleteTasks"]
    messages = chat.replay()
    assert messages[-1].role == "assistant"
    following = _followed(messages)
    assert protocol_errors(build_request(following, None, date_line(NOW, "UTC"))) == []


def _followed(messages: Any) -> Any:
    """With a next message of the person's."""
    last = messages[-1]
    return [*messages, msgspec.structs.replace(last, role="user", turn=new_id(), seq=last.seq + 1, content="next")]


def die_and_go_on(db: Database, point: int, whole: Any) -> bool:
    """Whether it was killed at all."""
    chat, turn = Chat(db, db.person()), new_id()
    try:
        chat(AddTask(title="old"))
        first = finish_driver(chat.start(TEXT, *ROUNDS, turn=turn, lease=LEASE, die=point), killed=True)
        if not first:
            chat.lapse()
            second = finish_driver(chat.start(TEXT, *ROUNDS, turn=turn, lease=30))
            assert second["ended"].get("state") == "done", second
        check(chat, whole)
    finally:
        chat.close()
    return not first


def sample(count: int) -> list[int]:
    """Points, the same in every run."""
    return sorted(random.Random(3).sample(range(1, LONGEST), count))


@pytest.mark.parametrize("point", sample(12))
def test_turn_killed_at_a_point_continues_elsewhere(db: Database, whole: Any, point: int) -> None:
    die_and_go_on(db, point, whole)


@pytest.mark.long
def test_turn_killed_anywhere_continues_elsewhere(db: Database, whole: Any) -> None:
    with ThreadPoolExecutor(2) as pool:
        killed = list(pool.map(lambda point: die_and_go_on(db, point, whole), range(1, LONGEST)))
    assert sum(killed) > whole[2] * 0.9
    assert not all(killed), "LONGEST is too short"


@pytest.mark.parametrize("point", [20, 45, 60, 80, 100])
def test_turn_killed_before_another_message_lets_it_run(db: Database, point: int) -> None:
    """The dead turn is settled first: the calls that were open are closed, and no effect is lost or done twice."""
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
