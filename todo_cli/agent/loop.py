"""The loop of one turn. It holds nothing that a crash could lose but the words in flight.

begin → settle → replay → model → store → act → … → end. Every step is a Request; where another attempt has taken the
turn over, the next step raises a Conflict whose `reason` is "fenced", and this one is over.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from todo_cli.agent.attempt import Attempt, Limits, Send, Tell
from todo_cli.agent.compaction import WIDE, compacted, crowded
from todo_cli.agent.messages import faults, open_calls, request_messages
from todo_cli.agent.prompts import today
from todo_cli.agent.receive import Answer, ModelResponse, Said, listen
from todo_cli.agent.tool_execution import act
from todo_cli.agent.tool_selection import offers
from todo_cli.contract.turn_steps import BeginTurn, EndTurn, PendingCall, ReadReplay, Replay, StoreAnswer, TurnState
from todo_cli.contract.usage import make_budget_error
from todo_cli.errors import Bug, ModelFailed, TodoError
from todo_cli.llm.pricing import as_stored, summed

__all__ = ["Ended", "Limits", "run_turn"]


class Ended(msgspec.Struct):
    """How the turn stands now that this runner is through with it; `mine` is False where another runs it.

    `after`: the number of its last batch of events. `first`: nothing was said in the conversation before.
    """

    turn: str
    conversation: str
    number: int
    state: TurnState
    mine: bool = True
    text: str = ""
    held: tuple[PendingCall, ...] = ()
    error: TodoError | None = None
    usage: dict[str, Any] | None = None
    after: int = -1
    first: bool = False


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
    instead only leaves it: another may take the turn over, at once.
    """
    begun = await send(msgspec.structs.replace(begin, lease=limits.lease))
    if not begun.mine:
        return Ended(begun.turn, begun.conversation, begun.number, begun.state, mine=False)
    runner = Attempt(send, begun, tell, stop or asyncio.Event(), limits)
    try:
        ended = await _Turn(runner, answer, begin.model).run()
        ended.after, ended.first = runner.last, begun.first
        return ended
    except asyncio.CancelledError:
        await runner.let_go()
        raise


class _Turn:
    def __init__(self, runner: Attempt, answer: Answer, model: str | None) -> None:
        self._runner, self._answer, self._model = runner, answer, model
        self._folded = False
        self._spent: list[dict[str, Any] | None] = []
        self._folding: dict[str, Any] | None = None

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
        mine = [one for one in replay.messages if one.turn == runner.begun.turn and one.role == "assistant"]
        said, self._spent = len(mine), [one.usage for one in mine]
        if runner.stopped:
            return await self._end("stopped", "(stopped)", status="interrupted")
        if replay.over:
            error = make_budget_error(replay.over)
            return await self._end("failed", f"({error.detail})", error=error)
        if said >= limits.rounds:
            return await self._end("done", f"I have stopped after {said} rounds. Tell me to go on, if I should.")
        if runner.left <= 0:
            return await self._end("done", f"I have stopped after {limits.seconds:g} seconds. Tell me to go on.")
        if crowded(replay, limits.budget) and await self._fold(replay, limits.budget * 3):
            return None
        messages = request_messages(replay.messages, replay.summary, today(runner.begun.zone))
        if wrong := faults(messages):
            raise Bug(f"the conversation cannot be replayed: {wrong[0]}")
        return await self._asked(messages, replay)

    async def _asked(self, messages: list[Said], replay: Replay) -> Ended | None:
        runner = self._runner
        tools = offers(replay.messages, runner.begun.turn)
        try:
            heard = await listen(self._answer(messages, tools), runner, runner.left)
        except ModelFailed as error:
            # how much fits is not known: half of what did not
            sent = sum(len(str(one)) for one in messages)
            if error.extra.get("overflow") and await self._fold(replay, sent // 2):
                return None
            return await self._end("failed", f"(the model failed: {error.detail})", error=error)
        usage = as_stored(heard.usage)
        if not heard.calls:
            return await self._last_words(heard, usage)
        await runner.keep(now=True)
        stored = await runner.send(
            StoreAnswer(**runner.fence, lease=runner.limits.lease, after=runner.head, text=heard.text,
                        calls=heard.calls, model=self._model, usage=usage)
        )  # fmt: skip
        runner.stands(stored.head, stop=stored.stop)
        return None

    async def _last_words(self, heard: ModelResponse, usage: dict[str, Any] | None) -> Ended:
        if heard.reason == "stopped":
            return await self._end("stopped", heard.text or "(stopped)", status="interrupted", usage=usage)
        if heard.reason == "interrupted":
            error = ModelFailed(heard.detail or "the model broke off", kind="broken")
            text = heard.text or "(interrupted)"
            return await self._end("failed", text, status="interrupted", usage=usage, error=error)
        note = f"\n\n({heard.detail})" if heard.detail and heard.reason in ("length", "filter") else ""
        return await self._end("done", (heard.text + note).strip() or "(no words)", usage=usage)

    async def _end(self, state: TurnState, text: str, *, error: TodoError | None = None, **more: Any) -> Ended:
        runner = self._runner
        runner.tell({"kind": "end", "state": state, "text": text})
        await runner.keep(now=True)
        problem = error.as_problem() if error else None
        total = summed([*self._spent, self._folding, more.get("usage")])
        fields = {"text": text, "state": state, "model": self._model, "total": total, "error": problem}
        stored = await runner.send(EndTurn(**runner.fence, lease=runner.limits.lease, **(fields | more)))
        begun = runner.begun
        return Ended(begun.turn, begun.conversation, begun.number, stored.state, text=text, error=error, usage=total)

    def _waiting(self, held: tuple[PendingCall, ...]) -> Ended:
        begun = self._runner.begun
        return Ended(begun.turn, begun.conversation, begun.number, "awaiting", held=held)

    async def _fold(self, replay: Replay, room: int) -> bool:
        """Whether there is a summary now that there was not before; once a turn. `room`: characters to be sent."""
        if self._folded:
            return False
        self._folded, runner = True, self._runner
        begun, budget = runner.begun, runner.limits.budget
        if replay.cut:
            replay = await runner.send(ReadReplay(conversation=begun.conversation, budget=budget * WIDE))
        step = await compacted(self._answer, replay, begun, runner, budget=budget, room=room, seconds=runner.left)
        if step is None:
            return False
        self._folding = step.usage
        await runner.send(msgspec.structs.replace(step, lease=runner.limits.lease, model=self._model))
        return True
