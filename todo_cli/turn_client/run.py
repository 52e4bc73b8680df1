"""A turn of the chat, whichever way: in this process over the database, or on a server whose stream is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_events import TurnProgress
from todo_cli.contract.turn_steps import ENDED_STATES, BeginTurn, PendingCall, TurnState
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import Conflict, ModelFailed, TodoError, from_problem
from todo_cli.settings.settings import Settings

if TYPE_CHECKING:
    from todo_cli.agent.receive import Answer
    from todo_cli.clients.direct import DirectClient
    from todo_cli.llm.client import Model

Tell = Callable[[dict[str, Any]], None]


class TurnOutcome(msgspec.Struct):
    """How the turn stands now: ended, or waiting for a person. `after`: the number of the last batch that was told.

    `first`: it was run here, and nothing was said in the conversation before.
    """

    turn: str
    conversation: str
    number: int
    state: TurnState
    text: str = ""
    held: tuple[PendingCall, ...] = ()
    error: TodoError | None = None
    after: int = -1
    usage: dict[str, Any] | None = None
    first: bool = False


async def converse(
    settings: Settings, begin: BeginTurn, tell: Tell, stop: asyncio.Event, after: int = -1
) -> TurnOutcome:  # fmt: skip
    """Run the turn, or follow it where another does; raises TodoError. `stop` ends it, wherever it runs."""
    if settings.server:
        from todo_cli.turn_client.remote import Stream

        return await Stream(settings, begin, tell, stop, after).run()
    return await _Direct(settings, begin, tell, stop, after).run()


async def look(settings: Settings, turn: str) -> TurnProgress:
    """How a turn that rests stands, its last batch, and what waits for an answer; raises TodoError."""
    if settings.server:
        from todo_cli.turn_client.remote import last_frame

        return await last_frame(settings, turn)
    from todo_cli.clients.direct import DirectClient
    from todo_cli.contract.turn_events import ReadEvents

    backend = DirectClient(settings)
    try:
        return await backend.send(ReadEvents(turn=turn, limit=1_000))
    finally:
        await backend.aclose()


class _Direct:
    def __init__(self, settings: Settings, begin: BeginTurn, tell: Tell, stop: asyncio.Event, after: int) -> None:
        self._settings, self._begin, self._stop, self._after = settings, begin, stop, after
        self._tell, self._text = tell, ""

    async def run(self) -> TurnOutcome:
        from todo_cli.clients.direct import DirectClient
        from todo_cli.turn_client import background_title

        backend = DirectClient(self._settings)
        try:
            model = await chosen_model(self._settings, backend, self._begin.model)
            try:
                if self._begin.text is None:
                    await self._told_before(backend)
                while True:
                    begin = msgspec.structs.replace(self._begin, runner=new_id(), model=model.name[:100])
                    outcome = await self._run(backend, begin, model)
                    if outcome:
                        background_title.begin(self._settings, outcome, self._begin.model)
                        return outcome
            finally:
                await model.close()
        finally:
            await backend.aclose()

    async def _run(self, backend: DirectClient, begin: BeginTurn, answer: Answer) -> TurnOutcome | None:
        """None where nobody runs it any more: once again."""
        from todo_cli.agent.loop import run_turn

        try:
            ended = await run_turn(backend.send, answer, begin, tell=self._told, stop=self._stop)
        except Conflict as error:
            if error.extra.get("reason") != "fenced":
                raise
            return None
        outcome = TurnOutcome(ended.turn, ended.conversation, ended.number, ended.state, ended.text, ended.held)
        outcome.error, outcome.after, outcome.usage = ended.error, max(ended.after, self._after), ended.usage
        outcome.first = ended.first
        return outcome if ended.mine else await self._follow(backend, outcome)

    async def _told_before(self, backend: DirectClient) -> None:
        """Who attaches misses nothing: what has come until now, before this goes on with it."""
        from todo_cli.agent.follow import whole
        from todo_cli.contract.turn_events import ReadEvents

        while True:
            seen = whole(await backend.send(ReadEvents(turn=self._begin.turn, after=self._after)), self._after)
            if not self._heard(seen):
                return

    async def _follow(self, backend: DirectClient, outcome: TurnOutcome) -> TurnOutcome | None:
        """Another runs it, or has run it."""
        from todo_cli.agent.follow import orphaned, watch

        asked = False
        async for seen in watch(backend.send, self._begin.turn, self._after, asyncio.sleep):
            self._heard(seen)
            if self._stop.is_set() and not asked:
                asked = True
                await backend.send(StopTurn(turn=self._begin.turn))
            if orphaned(seen):
                return None
        return stands(outcome, seen, self._text, self._after)

    def _heard(self, seen: TurnProgress) -> bool:
        for batch in seen.batches:
            self._after = batch.n
            for event in batch.events:
                self._told(event)
        return bool(seen.batches)

    def _told(self, event: dict[str, Any]) -> None:
        if event["kind"] == "end":
            self._text = event["text"]
        self._tell(event)


def stands(outcome: TurnOutcome, seen: TurnProgress, text: str, after: int) -> TurnOutcome:
    """The outcome of a turn that was watched."""
    error = from_problem(seen.error) if seen.error and seen.state in ENDED_STATES else None
    number, usage = outcome.number, seen.usage
    return TurnOutcome(outcome.turn, outcome.conversation, number, seen.state, text, seen.held, error, after, usage)


async def chosen_model(settings: Settings, backend: DirectClient, asked: str | None) -> Model:
    """The model that is asked for, else the person's own, else the configured one; raises ModelFailed."""
    preferred = None if asked else (await backend.send(WhoAmI())).model
    return await asyncio.to_thread(_model, settings, asked, preferred)


def _model(settings: Settings, asked: str | None, preferred: str | None) -> Model:
    """The model; raises ModelFailed, with what runs on this machine as an offer."""
    from todo_cli.llm.endpoints import local_servers, no_model
    from todo_cli.llm.selection import chosen

    try:
        endpoint = chosen(settings, asked=asked, preferred=preferred)
    except ModelFailed as error:
        if error.extra.get("kind") != "missing":
            raise
        raise ModelFailed(error.detail, hint=no_model(local_servers()).hint, kind="missing") from None
    from todo_cli.llm.client import Model

    return Model(endpoint)
