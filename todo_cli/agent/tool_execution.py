"""Run the model's tool calls: at once, after an approval, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from todo_cli.agent.approval_policy import (
    ParsedCall,
    decide,
    parse_call,
    repeated_result,
    unknown_numbers_message,
)
from todo_cli.agent.attempt import Attempt
from todo_cli.agent.consent import make_consent, touched_tasks
from todo_cli.contract.consent import Consent
from todo_cli.contract.tasks import AddTask
from todo_cli.contract.turn_steps import (
    CallToApprove,
    HoldCalls,
    Message,
    PendingCall,
    RefusedCall,
    Replay,
    RunCall,
    StoreResults,
)

STOPPED_RESULT = '{"error":"interrupted","detail":"the user stopped this before it was done; nothing was changed"}'

REPEATED_NOTE = "you made this call before in this turn; it was not done again, and this is its first result"


async def run_tool_calls(
    attempt: Attempt, calls: Sequence[tuple[Message, int]], replay: Replay
) -> tuple[PendingCall, ...]:
    """Run the calls in order. Those that need an approval are held together at the end, and returned.

    Behind a held change other changes wait too, but additions. A read waits to see the changes.
    """
    if attempt.is_stopped:
        results = [RefusedCall(message=message.seq, index=index, text=STOPPED_RESULT) for message, index in calls]
        await _store_results(attempt, results)
        return ()
    parsed = [parse_call(message, index) for message, index in calls]
    decisions = decide(parsed, replay.messages, attempt.begun.turn)
    consent = make_consent(replay.messages, attempt.begun.turn)
    held: list[ParsedCall] = []
    for call, decision in zip(parsed, decisions, strict=True):
        if attempt.is_stopped:
            return ()  # the next round answers the remaining calls
        repeated = repeated_result(call, replay.messages, attempt.begun.turn)
        if repeated is not None:
            await _store_result(attempt, call, _with_note(repeated))
        elif decision == "error":
            await _store_result(attempt, call, _answer(call, replay))
        elif decision == "ask" or (held and call.is_change and call.kind is not AddTask):
            held.append(call)
        elif call.is_change or not held:
            content = await _run_call(attempt, call, consent)
            if content is None:
                held.append(call)
            else:
                consent = replace(consent, touched=consent.touched | touched_tasks(call, content))
    return await _hold_calls(attempt, held) if held else ()


async def _run_call(attempt: Attempt, call: ParsedCall, consent: Consent) -> str | None:
    """Run a call and return its result; None where it needs approval."""
    verb = call.kind.verb if call.kind else ""
    ran = await attempt.send(
        RunCall(
            **attempt.fence,
            lease=attempt.limits.lease_seconds,
            message=call.message,
            index=call.index,
            operation=verb,
            arguments=call.fields,
            consent=consent,
        )
    )
    attempt.set_head(ran.head, stop=ran.stop)
    if ran.needs_approval:
        return None
    attempt.emit({"kind": "call", "verb": verb, "arguments": call.fields})
    attempt.emit({"kind": "result", "content": ran.content})
    await attempt.flush()
    return ran.content


async def _store_result(attempt: Attempt, call: ParsedCall, text: str) -> None:
    await _store_results(attempt, [RefusedCall(message=call.message, index=call.index, text=text)])


async def _store_results(attempt: Attempt, results: list[RefusedCall]) -> None:
    """Answer calls without running them."""
    step = StoreResults(**attempt.fence, lease=attempt.limits.lease_seconds, results=tuple(results))
    stored = await attempt.send(step)
    attempt.set_head(stored.head, stop=stored.stop)
    for result in results:
        attempt.emit({"kind": "result", "content": result.text})


async def _hold_calls(attempt: Attempt, calls: list[ParsedCall]) -> tuple[PendingCall, ...]:
    held = tuple(
        CallToApprove(message=call.message, index=call.index, verb=call.kind.verb, arguments=call.fields)
        for call in calls
        if call.kind
    )
    await attempt.flush(now=True)
    parked = await attempt.send(HoldCalls(**attempt.fence, calls=held))
    attempt.set_head(parked.head)
    return parked.held if parked.state == "awaiting" else ()


def _with_note(result: str) -> str:
    """Return the result of an earlier call with a note that the change was not made again."""
    try:
        fields = msgspec.json.decode(result, type=dict[str, Any])
    except (msgspec.DecodeError, msgspec.ValidationError):
        fields = {"result": result}
    return msgspec.json.encode({"note": REPEATED_NOTE} | fields).decode()


def _answer(call: ParsedCall, replay: Replay) -> str:
    """Return the result of a call that does not run."""
    if call.answer:
        return call.answer
    if call.error is None:
        detail = unknown_numbers_message(call, replay.messages)
        return _error_json("not-found", detail, "look with list_tasks first")
    return _error_json(call.error.code, call.error.detail, call.error.hint)


def _error_json(code: str, detail: str, hint: str) -> str:
    return msgspec.json.encode({"error": code, "detail": detail, "hint": hint}).decode()
