"""Every request that changes how a turn stands: killed anywhere in it, others go on as if nothing had happened.

So too where its backend is terminated in the middle of it, or the answer is lost: then it has happened, once.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
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
def nest() -> Iterator[ForkServer]:
    made = ForkServer()
    yield made
    made.close()


def happens(db: Database, nest: ForkServer, name: str, point: int | None = None, how: str = "kill") -> tuple[Any, Any]:
    """How all stands in the end, and what the process said: None where it was killed."""
    case, chat, key = CASES[name], Chat(db, db.person()), new_id()
    try:
        request = case.before(chat)
        said = nest.run(
            url=chat.who.database_url,
            token=chat.who.token,
            request=type(request).__name__,
            key=key,
            fields=msgspec.to_builtins(request),
            die=point,
            how=how,
        )
        assert said is None or "answer" in said, said
        case.on(chat, request, key)
        return snapshot_of(chat), said
    finally:
        chat.close()


def anywhere(db: Database, nest: ForkServer, name: str, how: str, most: int) -> int:
    """How many points were tried; each ends as if nothing had happened."""
    whole, said = happens(db, nest, name)
    points = range(1, said["points"] + 1)
    chosen = random.Random(f"{SEED} {name} {how}").sample(points, min(most, len(points)))
    for point in chosen:
        found, said = happens(db, nest, name, point, how)
        assert found == whole, (name, point)
        assert (said is None) == (how == "kill"), (name, point)
    return len(chosen)


@pytest.mark.parametrize("name", CASES)
def test_request_killed_at_a_point_is_continued(db: Database, nest: ForkServer, name: str) -> None:
    anywhere(db, nest, name, "kill", 2)


@pytest.mark.parametrize("name", CASES)
def test_request_with_a_terminated_backend_acts_once(db: Database, nest: ForkServer, name: str) -> None:
    anywhere(db, nest, name, "cut", 1)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("how", ["kill", "cut"])
def test_request_interrupted_anywhere_is_continued(db: Database, nest: ForkServer, name: str, how: str) -> None:
    assert anywhere(db, nest, name, how, 10_000) > 3


ROUNDS = (["I add ", ["add_task", {"title": "milk"}]], ["Done."])


def folds(db: Database, nest: ForkServer, point: int | None = None, how: str = "kill") -> tuple[Any, Any]:
    """A turn that first folds what is old, with an accident on the way; then as it was taken up by another."""
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
        said = nest.run(**given, die=point, how=how, lease=0.4 if point else 30)
        if said is None or said["ended"].get("state") != "done":
            chat.lapse()
            again = nest.run(**given)
            assert again
            assert again["ended"].get("state") == "done", again
        assert chat(ReadReplay(conversation=chat.id, budget=500)).summary == "They counted."
        return snapshot_of(chat) | {"dead": []}, said
    finally:
        chat.close()


def accidents(db: Database, nest: ForkServer, how: str, chosen: Any, whole: Any) -> None:
    for point in chosen:
        found, said = folds(db, nest, point, how)
        assert found == whole, (how, point)
        if how == "cut":
            assert said["ended"].get("state") == "done", (point, said)


def test_turn_with_compaction_interrupted_is_continued(db: Database, nest: ForkServer) -> None:
    whole, said = folds(db, nest)
    assert whole["summaries"] == [("They counted.",)]
    for how, most in (("kill", 3), ("cut", 2), ("gone", 1)):
        accidents(db, nest, how, random.Random(f"{SEED} {how}").sample(range(1, said["points"]), most), whole)


@pytest.mark.long
@pytest.mark.parametrize("how", ["kill", "cut", "gone"])
def test_turn_with_compaction_interrupted_anywhere_is_continued(db: Database, nest: ForkServer, how: str) -> None:
    whole, said = folds(db, nest)
    second = ForkServer()
    try:
        with ThreadPoolExecutor(2) as pool:
            halves = [range(first, said["points"] + 1, 2) for first in (1, 2)]
            list(
                pool.map(
                    lambda one: accidents(db, one[0], how, one[1], whole), zip((nest, second), halves, strict=True)
                )
            )
    finally:
        second.close()
