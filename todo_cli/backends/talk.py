"""A turn of the chat, whichever way: in this process over the database, or on a server whose stream is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from todo_cli.config import Settings
from todo_cli.contract.chat import ENDED, BeginTurn, Held, State, Watched
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.ids import new_id
from todo_cli.errors import Conflict, ModelFailed, TodoError, from_problem

if TYPE_CHECKING:
    from todo_cli.backends.direct import DirectBackend
    from todo_cli.chat.listening import Answer

Tell = Callable[[dict[str, Any]], None]

SILENT = 3.0
"""Seconds after which it is looked whether a turn that another runs has lost its runner."""


class Outcome(msgspec.Struct):
    """How the turn stands now: ended, or waiting for a person. `after`: the number of the last batch that was told."""

    turn: str
    conversation: str
    number: int
    state: State
    text: str = ""
    held: tuple[Held, ...] = ()
    error: TodoError | None = None
    after: int = -1


async def converse(
    settings: Settings, begin: BeginTurn, tell: Tell, stop: asyncio.Event, after: int = -1
) -> Outcome:  # fmt: skip
    """Run the turn, or follow it where another does; raises TodoError. `stop` ends it, wherever it runs."""
    if settings.server:
        from todo_cli.backends.streams import Stream

        return await Stream(settings, begin, tell, stop, after).run()
    return await _Direct(settings, begin, tell, stop, after).run()


async def look(settings: Settings, turn: str) -> Watched:
    """How a turn that rests stands, its last batch, and what waits for an answer; raises TodoError."""
    if settings.server:
        from todo_cli.backends.streams import last_frame

        return await last_frame(settings, turn)
    from todo_cli.backends.direct import DirectBackend
    from todo_cli.contract.chat import ReadEvents

    backend = DirectBackend(settings)
    try:
        return await backend.send(ReadEvents(turn=turn, limit=1_000))
    finally:
        await backend.leave()


class _Direct:
    def __init__(self, settings: Settings, begin: BeginTurn, tell: Tell, stop: asyncio.Event, after: int) -> None:
        self._settings, self._begin, self._stop, self._after = settings, begin, stop, after
        self._tell, self._text = tell, ""

    async def run(self) -> Outcome:
        from todo_cli.backends.direct import DirectBackend

        answer, model = await asyncio.to_thread(_answer, self._settings)
        backend = DirectBackend(self._settings)
        try:
            while True:
                begin = msgspec.structs.replace(self._begin, runner=new_id(), model=model)
                outcome = await self._run(backend, begin, answer)
                if outcome:
                    return outcome
        finally:
            await backend.leave()

    async def _run(self, backend: DirectBackend, begin: BeginTurn, answer: Answer) -> Outcome | None:
        """None where nobody runs it any more: once again."""
        from todo_cli.chat.turn import run_turn

        try:
            ended = await run_turn(backend.send, answer, begin, tell=self._told, stop=self._stop)
        except Conflict as error:
            if error.extra.get("reason") != "fenced":
                raise
            return None
        outcome = Outcome(ended.turn, ended.conversation, ended.number, ended.state, ended.text, ended.held)
        outcome.error, outcome.after = ended.error, self._after
        return outcome if ended.mine else await self._follow(backend, outcome)

    async def _follow(self, backend: DirectBackend, outcome: Outcome) -> Outcome | None:
        """Another runs it, or has run it."""
        from todo_cli.chat.watching import watch

        now = asyncio.get_running_loop().time
        moved, asked = now(), False
        async for seen in watch(backend.send, self._begin.turn, self._after, asyncio.sleep):
            for batch in seen.batches:
                self._after, moved = batch.n, now()
                for event in batch.events:
                    self._told(event)
            if self._stop.is_set() and not asked:
                asked = True
                await backend.send(StopTurn(turn=self._begin.turn))
            if seen.state == "answered" or (seen.state == "running" and now() - moved > SILENT):
                return None
        return stands(outcome, seen, self._text, self._after)

    def _told(self, event: dict[str, Any]) -> None:
        if event["kind"] == "end":
            self._text = event["text"]
        self._tell(event)


def stands(outcome: Outcome, seen: Watched, text: str, after: int) -> Outcome:
    """The outcome of a turn that was watched."""
    error = from_problem(seen.error) if seen.error and seen.state in ENDED else None
    return Outcome(outcome.turn, outcome.conversation, outcome.number, seen.state, text, seen.held, error, after)


def _answer(settings: Settings) -> tuple[Answer, str]:
    """The model, and its name; raises ModelFailed, with what runs on this machine as an offer."""
    import os
    from functools import partial

    from todo_cli.chat import endpoints

    model, base, key = settings.model_name, settings.model_base_url, settings.model_api_key
    try:
        endpoint = endpoints.configured_endpoint(os.environ, model=model, base_url=base, api_key=key)
    except ModelFailed as error:
        if error.extra.get("kind") != "missing":
            raise
        offer = endpoints.no_model(endpoints.local_servers())
        raise ModelFailed(error.detail, hint=offer.hint, kind="missing") from None
    from todo_cli.chat.model import answer

    return partial(answer, endpoint), endpoint.model[:100]
