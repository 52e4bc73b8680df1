"""A user who chats in this process: steps are Requests, and turns run with a scripted model."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from tests.conftest import Database, Person
from tests.support.connections import Line
from tests.support.turn_driver import ScriptedModel, start_driver
from todo_cli.agent.loop import Limits, TurnEnd, run_turn
from todo_cli.contract.base import Request
from todo_cli.contract.conversations import ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_steps import BeginTurn, Message, ReadReplay

R = TypeVar("R")


class Chat:
    """One conversation of a user."""

    def __init__(self, db: Database, who: Person, conversation: str | None = None) -> None:
        self.db, self.who = db, who
        self.line = Line(who.database_url, who)
        self.id = conversation or new_id()
        self.asked: list[list[dict[str, Any]]] = []

    def __call__(self, request: Request[R], key: str | None = None) -> R:
        """Return the answer; raise TodoError."""
        return self.line(request, key=key or (new_id() if request.write else None))

    def say(
        self,
        text: str | None,
        *rounds: Any,
        turn: str | None = None,
        answer: Any = None,
        stop: asyncio.Event | None = None,
        emit: Any = lambda event: None,
        **limits: Any,
    ) -> TurnEnd:
        """Run a turn to its end; each round is what the model answers."""
        script = answer or ScriptedModel(rounds)
        begin = BeginTurn(conversation=self.id, turn=turn or new_id(), runner=new_id(), text=text)

        async def send(request: Any) -> Any:
            return await self.line.send(request, key=new_id() if request.write else None)

        try:
            return self.line.runner.run(run_turn(send, script, begin, limits=Limits(**limits), stop=stop, emit=emit))
        finally:
            self.asked += getattr(script, "asked", [])

    def start(self, text: str | None, *rounds: Any, turn: str | None = None, **given: Any) -> Any:
        """Run the turn in a process of its own."""
        return start_driver(
            url=self.who.database_url,
            token=self.who.token,
            conversation=self.id,
            turn=turn or new_id(),
            text=text,
            rounds=rounds,
            **given,
        )

    @property
    def number(self) -> int:
        """The conversation's number."""
        found = self.db.execute(
            "SELECT number FROM todo.conversations WHERE user_id = %s AND id = %s", self.who.user_id, self.id
        )
        return int(found[0][0])

    def history(self) -> list[tuple[str, str]]:
        """Return role and content of every message of the branch."""
        shown = self(ShowConversation(number=self.number, limit=1_000))
        return [(one.role, one.content) for one in shown.messages]

    def replay(self, budget: int = 32_000) -> tuple[Message, ...]:
        """Return the messages from which the next request would be built."""
        return self(ReadReplay(conversation=self.id, budget=budget)).messages

    def tasks(self) -> list[tuple[int, str, str]]:
        """Return number, title and status of all the user's tasks."""
        rows = self.db.execute(
            "SELECT number, title, status FROM todo.tasks WHERE space_id = %s ORDER BY 1", self.who.user_id
        )
        return [(number, title, status) for number, title, status in rows]

    def lapse(self) -> None:
        """Let every lease expire."""
        self.db.execute(
            "UPDATE todo.turns SET lease_until = now() - interval '1 s' WHERE conversation_id = %s", self.id
        )

    def close(self) -> None:
        """Close the connection."""
        self.line.close()
