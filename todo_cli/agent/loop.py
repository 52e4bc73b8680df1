"""The loop of one turn. Only text that is just arriving could be lost in a crash: everything else is stored.

begin → settle open calls → replay → model → store calls → run calls → … → end. Every step is a Request. If another
attempt has taken the turn over, the next step raises a Conflict whose `reason` is "fenced", and this attempt ends.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from todo_cli.agent.attempt import Attempt, Limits, SendRequest
from todo_cli.agent.compaction import WIDE_BUDGETS, needs_compaction, summarize
from todo_cli.agent.messages import build_request, open_calls, protocol_errors
from todo_cli.agent.prompts import date_line
from todo_cli.agent.receive import AskModel, ModelResponse, receive
from todo_cli.agent.tool_execution import run_tool_calls
from todo_cli.agent.tool_selection import select_tools
from todo_cli.contract.turn_events import EmitEvent
from todo_cli.contract.turn_steps import (
    BeginTurn,
    ClaimedTurn,
    EndTurn,
    Message,
    PendingCall,
    ReadReplay,
    Replay,
    StoreAnswer,
    TurnState,
)
from todo_cli.contract.usage import make_budget_error
from todo_cli.errors import Bug, ModelFailed, TodoError
from todo_cli.llm.pricing import sum_usage, usage_fields

__all__ = ["Limits", "TurnEnd", "run_turn"]

CHARS_PER_TOKEN = 3
"""A careful estimate: what is sent for a summary must fit the model's context."""
MAX_IDENTICAL_ROUNDS = 3


class TurnEnd(msgspec.Struct):
    """The turn once this process is finished with it; `mine` is False where another process runs it.

    `after` is the number of the last batch of events. `first` is True for the first turn of its conversation.
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
    send: SendRequest,
    ask_model: AskModel,
    begin: BeginTurn,
    *,
    emit: EmitEvent = lambda event: None,
    stop: asyncio.Event | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    titles: bool = False,
) -> TurnEnd:
    """Run the turn to its end, or until it waits for an approval. Raise TodoError; what is stored stays.

    `titles`: a worker may title the conversation where nobody does within seconds of its first turn.

    `stop` ends the turn, as StopTurn does from anywhere: its text so far and its changes stay. Cancelling the task only
    leaves the turn: another process may take it over at once.
    """
    begun = await send(msgspec.structs.replace(begin, lease=limits.lease_seconds))
    if not begun.mine:
        return TurnEnd(begun.turn, begun.conversation, begun.number, begun.state, mine=False)
    attempt = Attempt(send, begun, emit, stop or asyncio.Event(), limits)
    try:
        end = await _TurnLoop(attempt, ask_model, begin.model, titles=titles).run()
        end.after, end.first = attempt.last_batch, begun.first
        return end
    except asyncio.CancelledError:
        await attempt.release()
        raise


class _TurnLoop:
    def __init__(self, attempt: Attempt, ask_model: AskModel, model: str | None, *, titles: bool) -> None:
        self._attempt, self._ask_model, self._model = attempt, ask_model, model
        self._titles = titles and attempt.begun.first
        self._was_compacted = False
        self._answer_usage: list[dict[str, Any] | None] = []
        self._summary_usage: dict[str, Any] | None = None

    async def run(self) -> TurnEnd:
        """Run rounds, each from what is stored: nothing is remembered from one round to the next."""
        attempt = self._attempt
        if attempt.begun.reset:
            attempt.emit({"kind": "reset"})
        read_replay = ReadReplay(conversation=attempt.begun.conversation, budget=attempt.limits.budget_tokens)
        while True:
            replay = await attempt.send(read_replay)
            if calls := open_calls(replay.messages):
                if held := await run_tool_calls(attempt, calls, replay):
                    return _end_of(attempt.begun, "awaiting", held=held)
            elif end := await self._run_round(replay):
                return end

    async def _run_round(self, replay: Replay) -> TurnEnd | None:
        attempt, budget = self._attempt, self._attempt.limits.budget_tokens
        answers = [
            message for message in replay.messages if message.turn == attempt.begun.turn and message.role == "assistant"
        ]
        self._answer_usage = [message.usage for message in answers]
        if attempt.is_stopped:
            return await self._end("stopped", "", status="interrupted")
        if replay.over:
            return await self._end("failed", "", error=make_budget_error(replay.over))
        if error := self._limit_error(answers):
            return await self._end("failed", "", error=error)
        if needs_compaction(replay, budget) and await self._compact(replay, budget * CHARS_PER_TOKEN):
            return None
        messages = build_request(replay.messages, replay.summary, date_line(attempt.begun.now, attempt.begun.zone))
        if errors := protocol_errors(messages):
            raise Bug(f"the conversation cannot be replayed: {errors[0]}")
        return await self._ask(messages, replay)

    def _limit_error(self, answers: list[Message]) -> ModelFailed | None:
        """Return the error of a turn that has used up its rounds or its time, or repeats itself."""
        limits, kind, detail = self._attempt.limits, "", ""
        if len(answers) >= limits.rounds:
            kind, detail = "rounds", f"the model did not finish within {limits.rounds} rounds"
        elif self._attempt.remaining_seconds <= 0:
            kind, detail = "timeout", f"the model did not finish within {limits.total_seconds:g} seconds"
        elif _repeats_itself(answers):
            kind, detail = "loop", f"the model made the same calls {MAX_IDENTICAL_ROUNDS} times in a row"
        return _make_unfinished_error(kind, detail, self._attempt.begun) if kind else None

    async def _ask(self, messages: list[dict[str, Any]], replay: Replay) -> TurnEnd | None:
        attempt = self._attempt
        tools = select_tools(replay.messages)
        try:
            response = await receive(self._ask_model(messages, tools), attempt, attempt.remaining_seconds)
        except ModelFailed as error:
            # the model's limit is unknown: send half of what did not fit
            sent_chars = sum(len(str(message)) for message in messages)
            if error.extra.get("overflow") and await self._compact(replay, sent_chars // 2):
                return None
            return await self._end("failed", "", error=error)
        usage = usage_fields(response.usage)
        if not response.calls or response.reason == "length":
            return await self._end_with(response, usage)
        await attempt.flush(now=True)
        stored = await attempt.send(
            StoreAnswer(
                **attempt.fence,
                lease=attempt.limits.lease_seconds,
                after=attempt.head,
                text=response.text,
                calls=response.calls,
                model=self._model,
                usage=usage,
            )
        )
        attempt.set_head(stored.head, stop=stored.stop)
        return None

    async def _end_with(self, response: ModelResponse, usage: dict[str, Any] | None) -> TurnEnd:
        """End the turn with an answer without calls; an incomplete answer is a failure."""
        text, begun = response.text, self._attempt.begun
        if response.reason == "stopped":
            return await self._end("stopped", text, status="interrupted", usage=usage)
        if response.reason == "interrupted":
            error = ModelFailed(response.detail or "the model's answer broke off", kind="broken")
        elif response.reason in ("length", "filter"):
            error = _make_unfinished_error(response.reason, response.detail or "the answer was cut", begun)
        elif not text.strip():
            error = _make_unfinished_error("empty", response.detail or "the model's answer was empty", begun)
        else:
            return await self._end("done", text.strip(), usage=usage)
        return await self._end("failed", text, status="interrupted", usage=usage, error=error)

    async def _end(self, state: TurnState, text: str, *, error: TodoError | None = None, **fields: Any) -> TurnEnd:
        """Store the end; a turn without a text of the model gets a remark of ours, which is never shown as its text."""
        attempt = self._attempt
        attempt.emit({"kind": "end", "state": state, "text": text})
        await attempt.flush(now=True)
        total = sum_usage([*self._answer_usage, self._summary_usage, fields.get("usage")])
        values: dict[str, Any] = {
            "text": text if text.strip() else _remark(state, error),
            "state": state,
            "model": self._model,
            "total": total,
            "error": error.as_problem() if error else None,
            "wants_title": self._titles and state == "done",
        }
        values |= fields | ({} if text.strip() or state == "done" else {"status": "whole"})
        stored = await attempt.send(EndTurn(**attempt.fence, lease=attempt.limits.lease_seconds, **values))
        return _end_of(attempt.begun, stored.state, text=text, error=error, usage=total)

    async def _compact(self, replay: Replay, max_chars: int) -> bool:
        """Store a summary, once per turn; return True if there is a new one. `max_chars` may be sent for it."""
        if self._was_compacted:
            return False
        self._was_compacted, attempt = True, self._attempt
        begun, budget = attempt.begun, attempt.limits.budget_tokens
        if replay.cut:
            replay = await attempt.send(ReadReplay(conversation=begun.conversation, budget=budget * WIDE_BUDGETS))
        step = await summarize(
            self._ask_model,
            replay,
            begun,
            attempt,
            budget_tokens=budget,
            max_chars=max_chars,
            seconds=attempt.remaining_seconds,
        )
        if step is None:
            return False
        self._summary_usage = step.usage
        await attempt.send(msgspec.structs.replace(step, lease=attempt.limits.lease_seconds, model=self._model))
        return True


def _end_of(begun: ClaimedTurn, state: TurnState, **fields: Any) -> TurnEnd:
    return TurnEnd(begun.turn, begun.conversation, begun.number, state, **fields)


def _repeats_itself(answers: list[Message]) -> bool:
    newest = [[(call.name, call.arguments) for call in answer.calls] for answer in answers[-MAX_IDENTICAL_ROUNDS:]]
    return len(newest) == MAX_IDENTICAL_ROUNDS and all(calls and calls == newest[0] for calls in newest)


def _make_unfinished_error(kind: str, detail: str, begun: ClaimedTurn) -> ModelFailed:
    hint = f"what was done stays; continue with: todo ask -c {begun.number} 'go on'"
    return ModelFailed(detail, hint=hint, kind=kind)


def _remark(state: TurnState, error: TodoError | None) -> str:
    """Return the stored text of a turn that has no answer: a conversation needs one before the next message."""
    if state == "stopped":
        return "(stopped)"
    return f"(not finished: {error.detail})" if error else "(no words)"
