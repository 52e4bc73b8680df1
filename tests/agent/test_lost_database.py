"""The database is gone between any two steps of a turn: for a moment, and the turn goes on; or for ever, and another does.

Every step of a turn that adds, is asked, folds and ends is tried: each begins with a connection that was cut.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.ask import settings_of
from tests.support.chat import Chat
from tests.support.interruptions import BOTH, TEXT, snapshot_of
from tests.support.tcp_proxy import open_database_proxy
from tests.support.turn_driver import ScriptedModel
from todo_cli.agent.loop import Limits, TurnEnd, run_turn
from todo_cli.clients.direct import DirectClient
from todo_cli.contract.base import Request, Secret
from todo_cli.contract.conversations import AnswerTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.errors import TodoError

NOWHERE = Secret("postgresql://nobody@127.0.0.1:1/none")
ROUNDS = ([["add_task", {"title": "milk"}]], ["Now: ", *BOTH], ["Done."])


class Far:
    """Somebody's conversation; their turns reach the database through a proxy, which has its accident before a step."""

    def __init__(self, db: Database) -> None:
        self.chat = Chat(db, db.person())
        self.proxy = open_database_proxy(self.chat.who.database_url)
        self.at, self.ever, self.steps = 0, False, 0
        for title in ("a", "b", "c"):
            self.chat(AddTask(title=title))
        for name in ("one", "two", "three"):
            self.chat.say(f"{name} " + "x" * 400, [f"{name} " + "y" * 400])

    def run(self, begin: BeginTurn) -> TurnEnd:
        """The turn; raises TodoError where the database is gone."""
        who: Any = SimpleNamespace(
            token=self.chat.who.token, database_url=self.proxy.through(self.chat.who.database_url)
        )
        backend = DirectClient(settings_of(who, "direct"))

        async def send(request: Request[Any]) -> Any:
            self.steps += 1
            if self.steps == self.at:
                self.proxy.cut()
                if self.ever:
                    backend._settings = backend._settings.replace(database_url=NOWHERE)
            return await backend.send(request)

        async def whole() -> TurnEnd:
            try:
                return await run_turn(
                    send, ScriptedModel(ROUNDS, summary="They counted."), begin, limits=Limits(budget_tokens=700)
                )
            finally:
                await backend.aclose()

        return asyncio.run(whole())

    def close(self) -> None:
        """End it all."""
        self.chat.close()
        self.proxy.close()


def goes(db: Database, at: int = 0, *, ever: bool = False) -> tuple[Any, int]:
    """How all stands in the end, and how many steps there were."""
    with closing(Far(db)) as far:
        far.at, far.ever = at, ever
        begin = BeginTurn(conversation=far.chat.id, turn=new_id(), runner=new_id(), text=TEXT)
        for ends in ("awaiting", "done"):
            ended = None
            if ever:
                with suppress(TodoError):
                    ended = far.run(begin)
                if not ended:  # another goes on
                    far.chat.lapse()
                    ended = far.run(again(begin))
            else:
                ended = far.run(begin)
            assert ended.state == ends, (at, ended)
            if ends == "awaiting":
                far.chat(AnswerTurn(turn=begin.turn, yes=True))
                begin = again(begin)
        return snapshot_of(far.chat) | {"dead": []}, far.steps


def again(begin: BeginTurn) -> BeginTurn:
    """By another runner."""
    return BeginTurn(conversation=begin.conversation, turn=begin.turn, runner=new_id(), text=begin.text)


@pytest.fixture(scope="module")
def whole(db: Database) -> tuple[Any, int]:
    """The same turn when nothing happens."""
    found = goes(db)
    assert found[0]["summaries"] == [("They counted.",)]
    assert [status for _, _, status in found[0]["tasks"]] == ["deleted", "done", "done", "open"]
    return found


def places(whole: tuple[Any, int], count: int) -> list[int]:
    """Steps, the same in every run."""
    return random.Random(7).sample(range(1, whole[1] + 1), count)


def test_database_lost_for_a_moment_lets_the_turn_continue(db: Database, whole: tuple[Any, int]) -> None:
    for at in places(whole, 3):
        assert goes(db, at)[0] == whole[0], at


def test_database_lost_for_good_lets_another_process_continue(
    db: Database, whole: tuple[Any, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("todo_cli.clients.direct.MAX_ATTEMPTS_AFTER_LOSS", 2)  # the real one waits for six seconds
    for at in places(whole, 2):
        assert goes(db, at, ever=True)[0] == whole[0], at


@pytest.mark.long
@pytest.mark.parametrize("ever", [False, True])
def test_database_lost_between_any_two_steps_loses_nothing(
    db: Database, whole: tuple[Any, int], ever: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("todo_cli.clients.direct.MAX_ATTEMPTS_AFTER_LOSS", 2)
    for at in range(1, whole[1] + 1):
        assert goes(db, at, ever=ever)[0] == whole[0], at
