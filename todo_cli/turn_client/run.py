"""Run a chat turn: in this process over the database, or on a server whose stream is followed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.conversations import StopTurn
from todo_cli.contract.ids import new_id
from todo_cli.contract.turn_events import EmitEvent, TurnProgress
from todo_cli.contract.turn_steps import BeginTurn
from todo_cli.errors import Conflict, ModelFailed, Unavailable
from todo_cli.local_service.places import address_service, uses_local_service
from todo_cli.settings.settings import Settings
from todo_cli.turn_client.leave import leave_unbegun_turn
from todo_cli.turn_client.model_choice import MAX_MODEL_CHARS, choose_model
from todo_cli.turn_client.outcome import TurnOutcome, outcome_of
from todo_cli.turn_client.title import leaves_title_to_worker

if TYPE_CHECKING:
    from todo_cli.agent.receive import AskModel
    from todo_cli.clients.direct import DirectClient

MAX_EVENT_BATCHES = 1_000
MAX_SERVICE_OUTAGE_SECONDS = 2.0
"""A local service that is away for so long during a turn has ended; this process continues the turn."""
R = TypeVar("R")


async def run_turn(
    settings: Settings, begin: BeginTurn, emit: EmitEvent, stop: asyncio.Event, after: int = -1
) -> TurnOutcome:
    """Run the turn, or follow it where another process runs it; raise TodoError. `stop` ends it, wherever it runs.

    `emit` receives the events after batch `after`.
    """
    if settings.server:
        from todo_cli.turn_client.remote import RemoteTurn

        return await RemoteTurn(settings, begin, emit, stop, after).run()
    if uses_local_service(settings):
        return await _run_beside_service(settings, begin, emit, stop, after)
    return await _DirectTurn(settings, begin, emit, stop, after).run()


async def _run_beside_service(
    settings: Settings, begin: BeginTurn, emit: EmitEvent, stop: asyncio.Event, after: int
) -> TurnOutcome:
    """Run the turn in the local service, where it survives this command; without one run it in this process."""
    from todo_cli.local_service.model_settings import has_service_for_turns
    from todo_cli.local_service.start import start_in_background
    from todo_cli.turn_client.remote import RemoteTurn

    if has_service_for_turns(settings):
        service = address_service(settings)
        turn = RemoteTurn(service, begin, emit, stop, after, max_outage_seconds=MAX_SERVICE_OUTAGE_SECONDS)
        try:
            return await turn.run()
        except (Unavailable, ModelFailed):  # without a model, the error of this process is the better one
            begin = msgspec.structs.replace(begin, text=None) if turn.has_begun else begin
            after = turn.after
    start_in_background(settings)
    return await _DirectTurn(settings, begin, emit, stop, after).run()


async def read_turn(settings: Settings, turn: str) -> TurnProgress:
    """Read the state of a turn that does not run now, its last batch, and its held calls; raise TodoError."""
    if settings.server:
        from todo_cli.turn_client.remote import read_last_frame

        return await read_last_frame(settings, turn)
    from todo_cli.clients.direct import DirectClient
    from todo_cli.contract.turn_events import ReadEvents

    client = DirectClient(settings)
    try:
        return await client.send(ReadEvents(turn=turn, limit=MAX_EVENT_BATCHES))
    finally:
        await client.aclose()


class _DirectTurn:
    """A turn over the database, in this process unless another one runs it already."""

    def __init__(self, settings: Settings, begin: BeginTurn, emit: EmitEvent, stop: asyncio.Event, after: int) -> None:
        self._settings, self._begin, self._stop, self._after = settings, begin, stop, after
        self._emit_event, self._text = emit, ""
        self._begun = asyncio.Event()

    async def run(self) -> TurnOutcome:
        from todo_cli.clients.direct import DirectClient

        client = DirectClient(self._settings)
        leaving = asyncio.create_task(leave_unbegun_turn(self._stop, self._begun, asyncio.current_task()))
        try:
            model = await choose_model(self._settings, client, self._begin.model)
            try:
                if self._begin.text is None:
                    await self._emit_stored_events(client)
                while True:
                    begin = msgspec.structs.replace(self._begin, runner=new_id(), model=model.name[:MAX_MODEL_CHARS])
                    if outcome := await self._run_or_follow(client, begin, model):
                        return outcome
            finally:
                await model.close()
        finally:
            leaving.cancel()
            await client.aclose()

    async def _run_or_follow(self, client: DirectClient, begin: BeginTurn, model: AskModel) -> TurnOutcome | None:
        """Return None where no process runs the turn any more, so that the caller tries again."""
        from todo_cli.agent.loop import run_turn

        async def send(request: Request[R]) -> R:
            answer = await client.send(request)
            if isinstance(request, BeginTurn):
                self._begun.set()
            return answer

        try:
            titles = leaves_title_to_worker(self._settings)
            end = await run_turn(send, model, begin, emit=self._emit, stop=self._stop, titles=titles)
        except Conflict as error:
            if error.extra.get("reason") != "fenced":
                raise
            return None
        outcome = TurnOutcome(
            turn=end.turn,
            conversation=end.conversation,
            number=end.number,
            state=end.state,
            text=end.text,
            held=end.held,
            error=end.error,
            after=max(end.after, self._after),
            usage=end.usage,
            first=end.first,
        )
        return outcome if end.mine else await self._follow(client, outcome)

    async def _emit_stored_events(self, client: DirectClient) -> None:
        """Emit all events so far, before this process continues the turn."""
        from todo_cli.agent.follow import rebuild_events
        from todo_cli.contract.turn_events import ReadEvents

        while True:
            look = await client.send(ReadEvents(turn=self._begin.turn, after=self._after))
            if not self._emit_batches(rebuild_events(look, self._after)):
                return

    async def _follow(self, client: DirectClient, outcome: TurnOutcome) -> TurnOutcome | None:
        """Follow a turn that another process runs or has run."""
        from todo_cli.agent.follow import follow_turn, has_no_runner

        stop_sent = False
        async for look in follow_turn(client.send, self._begin.turn, self._after, asyncio.sleep):
            self._emit_batches(look)
            if self._stop.is_set() and not stop_sent:
                stop_sent = True
                await client.send(StopTurn(turn=self._begin.turn))
            if has_no_runner(look):
                return None
        return outcome_of(outcome, look, self._text, self._after)

    def _emit_batches(self, look: TurnProgress) -> bool:
        for batch in look.batches:
            self._after = batch.n
            for event in batch.events:
                self._emit(event)
        return bool(look.batches)

    def _emit(self, event: dict[str, Any]) -> None:
        if event["kind"] == "end":
            self._text = event["text"]
        self._emit_event(event)
