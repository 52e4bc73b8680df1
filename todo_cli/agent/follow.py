"""Follow a turn that runs anywhere, from what is stored of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

import msgspec

from todo_cli.agent.approval_policy import parse_call
from todo_cli.agent.attempt import SendRequest
from todo_cli.contract.turn_events import EventBatch, ReadEvents, TurnEvent, TurnProgress
from todo_cli.contract.turn_steps import ENDED_STATES, Message

SETTLED_STATES = (*ENDED_STATES, "awaiting")
"""States in which a turn emits nothing more by itself."""
POLL_FAST_SECONDS, POLL_SECONDS, POLL_SLOW_SECONDS = 0.25, 0.5, 1.0
LONG_TURN_POLLS = 20
"""After so many polls a turn is long and is polled less often: every poll counts in the user's rate limit."""
MAX_BATCHES = 200
"""Batches of events in one answer."""


async def follow_turn(
    send: SendRequest, turn: str, after: int, sleep: Callable[[float], Awaitable[object]]
) -> AsyncGenerator[TurnProgress, None]:
    """Poll a turn until it has ended or waits for an approval, and yield its progress since batch `after`."""
    silent_polls = polls = 0
    while True:
        progress = rebuild_events(await send(ReadEvents(turn=turn, after=after, limit=MAX_BATCHES)), after)
        after = progress.batches[-1].n if progress.batches else after
        yield progress
        if len(progress.batches) == MAX_BATCHES:
            continue
        if progress.state in SETTLED_STATES:
            return
        silent_polls = 0 if progress.batches else silent_polls + 1
        polls += 1
        if silent_polls > LONG_TURN_POLLS:
            await sleep(POLL_SLOW_SECONDS)
        else:
            await sleep(POLL_FAST_SECONDS if polls < LONG_TURN_POLLS else POLL_SECONDS)


def has_no_runner(progress: TurnProgress) -> bool:
    """Return True if no process runs the turn though it has not ended, by the database's clock."""
    return progress.state == "answered" or (progress.state == "running" and not progress.live)


def rebuild_events(progress: TurnProgress, after: int) -> TurnProgress:
    """Rebuild the events of an ended turn from its messages, if its events were deleted.

    A reader that has seen some events gets a `reset` and then all events again.
    """
    if not progress.messages:
        return progress
    events: list[TurnEvent] = [{"kind": "reset"}] if after >= 0 else []
    for message in progress.messages:
        events += _message_events(message, progress)
    batch = EventBatch(n=max(progress.events, 1) - 1, events=tuple(events))
    return msgspec.structs.replace(progress, batches=(batch,), messages=())


def _message_events(message: Message, progress: TurnProgress) -> Iterator[TurnEvent]:
    if message.role == "tool":
        yield from _call_event(message, progress)
        yield {"kind": "result", "content": message.content}
    if message.role != "assistant" or message.status == "dead":
        return
    # the text of a turn that failed or was stopped without an answer is a remark of ours, not the model's text
    is_remark = not message.calls and progress.state in ("failed", "stopped") and message.status == "whole"
    text = "" if is_remark else message.content
    if text:
        yield {"kind": "words", "text": text}
    if not message.calls:
        yield {"kind": "end", "state": progress.state, "text": text}


def _call_event(result: Message, progress: TurnProgress) -> Iterator[TurnEvent]:
    for message in progress.messages:
        if message.seq == result.call_seq and result.call_index is not None and result.call_index < len(message.calls):
            call = parse_call(message, result.call_index)
            if call.kind:
                yield {"kind": "call", "verb": call.kind.verb, "arguments": call.fields}
