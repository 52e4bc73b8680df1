"""A process is killed at any point of a request that changes the state of a turn: others continue as if it had not been.

The same holds where its database connection is cut at the point, or is gone from then on; then the request acts once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from tests.conftest import Database
from tests.support.chat import Chat
from tests.support.fork_server import ForkServer
from tests.support.interruptions import CASES, snapshot_of
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import ReadReplay

SEED = 5


@pytest.fixture(scope="module")
def fork_server() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def undisturbed_turn(db: Database, fork_server: ForkServer) -> tuple[Any, int]:
    """The state that a turn with compaction leaves when nothing fails, and the number of its points."""
    state, result = run_turn_with_compaction(db, fork_server)
    return state, result["points"]


def run_case(
    db: Database, fork_server: ForkServer, name: str, point: int | None = None, fault: str = "kill"
) -> tuple[Any, Any]:
    """Send the request of a case with a fault at a point, and continue; return the state and the process's result.

    The result of a process that was killed is None.
    """
    case, chat, key = CASES[name], Chat(db, db.person()), new_id()
    try:
        request = case.prepare(chat)
        result = fork_server.run(
            url=chat.who.database_url,
            token=chat.who.token,
            request=type(request).__name__,
            key=key,
            fields=msgspec.to_builtins(request),
            die=point,
            how=fault,
        )
        assert result is None or "answer" in result, result
        case.go_on(chat, request, key)
        return snapshot_of(chat), result
    finally:
        chat.close()


def sample_points(name: str, fault: str, last: int, count: int) -> list[int]:
    """Return some of the points of a request, the same in every run."""
    points = range(1, last + 1)
    return random.Random(f"{SEED} {name} {fault}").sample(points, min(count, len(points)))


def find_deviations(db: Database, fork_server: ForkServer, name: str, fault: str, count: int) -> list[int]:
    """Return the points at which the fault leaves another state than an undisturbed request, or has no effect."""
    expected, undisturbed = run_case(db, fork_server, name)
    assert undisturbed["points"] > 3
    deviations = []
    for point in sample_points(name, fault, undisturbed["points"], count):
        state, result = run_case(db, fork_server, name, point, fault)
        if state != expected or (result is None) != (fault == "kill"):
            deviations.append(point)
    return deviations


@pytest.mark.parametrize("name", CASES)
def test_request_killed_at_a_point_is_continued(db: Database, fork_server: ForkServer, name: str) -> None:
    assert find_deviations(db, fork_server, name, "kill", 2) == []


@pytest.mark.parametrize("name", CASES)
def test_request_with_a_terminated_backend_acts_once(db: Database, fork_server: ForkServer, name: str) -> None:
    assert find_deviations(db, fork_server, name, "cut", 1) == []


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("fault", ["kill", "cut"])
def test_request_interrupted_anywhere_is_continued(
    db: Database, fork_server: ForkServer, name: str, fault: str
) -> None:
    assert find_deviations(db, fork_server, name, fault, 10_000) == []


ROUNDS = (["I add ", ["add_task", {"title": "milk"}]], ["Done."])


def run_turn_with_compaction(
    db: Database, fork_server: ForkServer, point: int | None = None, fault: str = "kill"
) -> tuple[Any, Any]:
    """Run a turn that first summarises older ones, with a fault at a point; another process ends it if it did not end.

    Return the state and the result of the first process.
    """
    chat, turn = Chat(db, db.person()), new_id()
    try:
        for name in ("one", "two", "three"):
            chat.say(f"{name} " + "x" * 400, [f"{name} " + "y" * 400])
        given: dict[str, Any] = {
            "url": chat.who.database_url,
            "token": chat.who.token,
            "conversation": chat.id,
            "turn": turn,
            "text": "add milk",
            "rounds": ROUNDS,
            "summary": "They counted.",
            "budget": 500,
        }
        result = fork_server.run(**given, die=point, how=fault, lease=0.4 if point else 30)
        if result is None or result["ended"].get("state") != "done":
            chat.lapse()
            second = fork_server.run(**given)
            assert second
            assert second["ended"].get("state") == "done", second
        assert chat(ReadReplay(conversation=chat.id, budget=500)).summary == "They counted."
        return snapshot_of(chat) | {"dead": []}, result
    finally:
        chat.close()


def find_turn_deviations(
    db: Database, fork_server: ForkServer, fault: str, points: Sequence[int], expected: Any
) -> list[int]:
    """Return the points at which the fault leaves another state, or a cut connection ends the process's turn."""
    deviations = []
    for point in points:
        state, result = run_turn_with_compaction(db, fork_server, point, fault)
        if state != expected or (fault == "cut" and result["ended"].get("state") != "done"):
            deviations.append(point)
    return deviations


@pytest.mark.parametrize(("fault", "count"), [("kill", 3), ("cut", 2), ("gone", 1)])
def test_turn_with_compaction_interrupted_is_continued(
    db: Database, fork_server: ForkServer, undisturbed_turn: tuple[Any, int], fault: str, count: int
) -> None:
    expected, last_point = undisturbed_turn
    points = sample_points("turn", fault, last_point - 1, count)
    assert expected["summaries"] == [("They counted.",)]
    assert find_turn_deviations(db, fork_server, fault, points, expected) == []


@pytest.mark.long
@pytest.mark.parametrize("fault", ["kill", "cut", "gone"])
def test_turn_with_compaction_interrupted_anywhere_is_continued(
    db: Database, fork_server: ForkServer, undisturbed_turn: tuple[Any, int], fault: str
) -> None:
    expected, last_point = undisturbed_turn
    second = ForkServer()
    try:
        with ThreadPoolExecutor(2) as pool:
            halves = [
                pool.submit(find_turn_deviations, db, server, fault, range(first, last_point + 1, 2), expected)
                for server, first in ((fork_server, 1), (second, 2))
            ]
            assert [half.result() for half in halves] == [[], []]
    finally:
        second.close()
