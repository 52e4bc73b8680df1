"""The loop of one turn. It holds nothing that a crash could lose but the words in flight.

begin → settle → replay → model → store → act → … → end. Every step is a Request; where another attempt has taken the
turn over, the next step raises a Conflict whose `reason` is "fenced", and this one is over.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from todo_cli.chat.acting import act
from todo_cli.chat.compaction import compacted, crowded
from todo_cli.chat.listening import Answer, Heard, Said, listen
from todo_cli.chat.prompt import today
from todo_cli.chat.replay import faults, open_calls, request_messages
from todo_cli.chat.runner import Limits, Runner, Send, Tell
from todo_cli.contract.chat import BeginTurn, EndTurn, Held, ReadReplay, Replay, State, StoreAnswer
from todo_cli.errors import Bug, ModelFailed, TodoError
from todo_cli.tools import tools

__all__ = ["Ended", "Limits", "run_turn"]


class Ended(msgspec.Struct):
    """How the turn stands now that this runner is through with it; `mine` is False where another runs it."""

    turn: str
    conversation: str
    number: int
    state: State
    mine: bool = True
    text: str = ""
    held: tuple[Held, ...] = ()
    error: TodoError | None = None


async def run_turn(
    send: Send,
    answer: Answer,
    begin: BeginTurn,
    *,
    tell: Tell = lambda event: None,
    stop: asyncio.Event | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Ended:
    """Run the turn to its end, or until it waits for a person. Raises TodoError; what was stored stays.

    `stop` ends it here as StopTurn does from anywhere: the words that have come and what was done stay. Cancelling it
    instead is as if the process had died: another may take the turn over.
    """
    begun = await send(msgspec.structs.replace(begin, lease=limits.lease))
    if not begun.mine:
        return Ended(begun.turn, begun.conversation, begun.number, begun.state, mine=False)
    return await _Turn(Runner(send, begun, tell, stop or asyncio.Event(), limits), answer, begin.model).run()


class _Turn:
    def __init__(self, runner: Runner, answer: Answer, model: str | None) -> None:
        self._runner, self._answer, self._model = runner, answer, model
        self._folded = False
        self._total: dict[str, int] = {}

    async def run(self) -> Ended:
        """Rounds, each from what is stored: nothing is remembered from one to the next."""
        runner = self._runner
        if runner.begun.reset:
            runner.tell({"kind": "reset"})
        wanted = ReadReplay(conversation=runner.begun.conversation, budget=runner.limits.budget)
        while True:
            replay = await runner.send(wanted)
            calls = open_calls(replay.messages)
            if calls:
                held = await act(runner, calls, replay)
                if held:
                    return self._waiting(held)
                continue
            ended = await self._round(replay)
            if ended:
                return ended

    async def _round(self, replay: Replay) -> Ended | None:
        runner, limits = self._runner, self._runner.limits
        said = sum(one.turn == runner.begun.turn and one.role == "assistant" for one in replay.messages)
        if runner.stopped:
            return await self._end("stopped", "(stopped)", status="interrupted")
        if said >= limits.rounds:
            return await self._end("done", f"I have stopped after {said} rounds. Tell me to go on, if I should.")
        if runner.left <= 0:
            return await self._end("done", f"I have stopped after {limits.seconds:g} seconds. Tell me to go on.")
        if crowded(replay, limits.budget) and await self._fold(replay):
            return None
        messages = request_messages(replay.messages, replay.summary, today(runner.begun.zone))
        if wrong := faults(messages):
            raise Bug(f"the conversation cannot be replayed: {wrong[0]}")
        return await self._asked(messages, replay)

    async def _asked(self, messages: list[Said], replay: Replay) -> Ended | None:
        runner = self._runner
        try:
            heard = await listen(self._answer(messages, tools()), runner, runner.left)
        except ModelFailed as error:
            if error.extra.get("overflow") and await self._fold(replay):
                return None
            return await self._end("failed", f"(the model failed: {error.detail})", error=error)
        usage = self._counted(heard)
        if not heard.calls:
            return await self._last_words(heard, usage)
        await runner.keep(now=True)
        stored = await runner.send(
            StoreAnswer(**runner.fence, lease=runner.limits.lease, after=runner.head, text=heard.text,
                        calls=heard.calls, model=self._model, usage=usage)
        )  # fmt: skip
        runner.stands(stored.head, stop=stored.stop)
        return None

    async def _last_words(self, heard: Heard, usage: dict[str, Any] | None) -> Ended:
        if heard.reason == "stopped":
            return await self._end("stopped", heard.text or "(stopped)", status="interrupted", usage=usage)
        if heard.reason == "interrupted":
            error = ModelFailed(heard.detail or "the model broke off", kind="broken")
            text = heard.text or "(interrupted)"
            return await self._end("failed", text, status="interrupted", usage=usage, error=error)
        note = f"\n\n({heard.detail})" if heard.detail and heard.reason in ("length", "filter") else ""
        return await self._end("done", (heard.text + note).strip() or "(no words)", usage=usage)

    async def _end(self, state: State, text: str, *, error: TodoError | None = None, **more: Any) -> Ended:
        runner = self._runner
        runner.tell({"kind": "end", "state": state, "text": text})
        await runner.keep(now=True)
        problem = error.as_problem() if error else None
        fields = {"text": text, "state": state, "model": self._model, "total": self._total or None, "error": problem}
        stored = await runner.send(EndTurn(**runner.fence, lease=runner.limits.lease, **(fields | more)))
        begun = runner.begun
        return Ended(begun.turn, begun.conversation, begun.number, stored.state, text=text, error=error)

    def _waiting(self, held: tuple[Held, ...]) -> Ended:
        begun = self._runner.begun
        return Ended(begun.turn, begun.conversation, begun.number, "awaiting", held=held)

    async def _fold(self, replay: Replay) -> bool:
        """Whether there is a summary now that there was not before; tried once a turn."""
        if self._folded:
            return False
        self._folded, runner = True, self._runner
        step = await compacted(self._answer, replay, runner.begun, runner, runner.left)
        if step is None:
            return False
        await runner.send(msgspec.structs.replace(step, lease=runner.limits.lease, model=self._model))
        return True

    def _counted(self, heard: Heard) -> dict[str, Any] | None:
        usage: dict[str, Any] | None = msgspec.to_builtins(heard.usage) if heard.usage else None
        for name, tokens in (usage or {}).items():
            self._total[name] = self._total.get(name, 0) + tokens
        return usage
