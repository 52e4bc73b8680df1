"""Doing what the model wishes: at once, after a yes, or not at all."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from todo_cli.agent.approval_policy import ParsedCall, judged, understood, unknown_numbers
from todo_cli.agent.attempt import Attempt
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

NOT_DONE = '{"error":"interrupted","detail":"the person stopped this before it was done; nothing was changed"}'


async def act(runner: Attempt, calls: Sequence[tuple[Message, int]], replay: Replay) -> tuple[PendingCall, ...]:
    """In order; what needs a yes comes last, together: that is what is answered here."""
    if runner.stopped:
        await _refuse(runner, [RefusedCall(message=one.seq, index=index, text=NOT_DONE) for one, index in calls])
        return ()
    wished = [understood(message, index) for message, index in calls]
    verdicts = judged(wished, replay.messages, runner.begun.turn, replay.summary)
    asking = []
    for one, verdict in zip(wished, verdicts, strict=True):
        if runner.stopped:
            return ()  # the rest is refused at the next look
        if verdict == "ask":
            asking.append(one)
        elif verdict == "error":
            await _refuse(runner, [RefusedCall(message=one.message, index=one.index, text=_told(one, replay))])
        else:
            await _run(runner, one)
    return await _hold(runner, asking) if asking else ()


async def _run(runner: Attempt, one: ParsedCall) -> None:
    verb = one.kind.verb if one.kind else ""
    runner.tell({"kind": "call", "verb": verb, "arguments": one.fields})
    ran = await runner.send(
        RunCall(**runner.fence, lease=runner.limits.lease, message=one.message, index=one.index, operation=verb,
                arguments=one.fields)
    )  # fmt: skip
    runner.stands(ran.head, stop=ran.stop)
    runner.tell({"kind": "result", "content": ran.content})
    await runner.keep()


async def _refuse(runner: Attempt, results: list[RefusedCall]) -> None:
    stored = await runner.send(StoreResults(**runner.fence, lease=runner.limits.lease, results=tuple(results)))
    runner.stands(stored.head, stop=stored.stop)
    for one in results:
        runner.tell({"kind": "result", "content": one.text})


async def _hold(runner: Attempt, asking: list[ParsedCall]) -> tuple[PendingCall, ...]:
    calls = tuple(
        CallToApprove(message=one.message, index=one.index, verb=one.kind.verb, arguments=one.fields)
        for one in asking if one.kind
    )  # fmt: skip
    await runner.keep(now=True)
    parked = await runner.send(HoldCalls(**runner.fence, calls=calls))
    runner.stands(parked.head)
    return parked.held if parked.state == "awaiting" else ()


def _told(one: ParsedCall, replay: Replay) -> str:
    """The answer to a call that is not carried out."""
    if one.told:
        return one.told
    if one.error is None:
        return _json("not-found", unknown_numbers(one, replay.messages, replay.summary), "look with list_tasks first")
    return _json(one.error.code, one.error.detail, one.error.hint)


def _json(code: str, detail: str, hint: str) -> str:
    return msgspec.json.encode({"error": code, "detail": detail, "hint": hint}).decode()
