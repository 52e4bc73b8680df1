"""Following a turn that runs anywhere, from what is stored of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator

import msgspec

from todo_cli.agent.approval_policy import understood
from todo_cli.agent.attempt import Said, Send
from todo_cli.contract.turn_events import EventBatch, ReadEvents, TurnProgress
from todo_cli.contract.turn_steps import ENDED_STATES, Message

RESTING = (*ENDED_STATES, "awaiting")
"""States in which nothing comes any more by itself."""
SOON, LATER = 0.25, 1.0
LONG = 20
"""Looks after which a turn is a long one, and is looked at half as often: every look counts in the person's limit."""
AT_ONCE = 200


async def watch(
    send: Send, turn: str, after: int, pause: Callable[[float], Awaitable[object]]
) -> AsyncGenerator[TurnProgress, None]:
    """A look a few times a second while something comes, else one; the last is of a turn that rests."""
    silent = looks = 0
    while True:
        seen = whole(await send(ReadEvents(turn=turn, after=after, limit=AT_ONCE)), after)
        after = seen.batches[-1].n if seen.batches else after
        yield seen
        if len(seen.batches) == AT_ONCE:
            continue
        if seen.state in RESTING:
            return
        silent = 0 if seen.batches else silent + 1
        looks += 1
        await pause(LATER if silent > LONG else SOON if looks < LONG else SOON * 2)


def orphaned(seen: TurnProgress) -> bool:
    """Nobody runs it, and it has not ended: whoever sees it may. The lease is judged by the database's clock."""
    return seen.state == "answered" or (seen.state == "running" and not seen.live)


def whole(seen: TurnProgress, after: int) -> TurnProgress:
    """With the events of a turn whose own are forgotten, out of its messages: all of them again for who saw some."""
    if not seen.messages:
        return seen
    events: list[Said] = [{"kind": "reset"}] if after >= 0 else []
    for one in seen.messages:
        events += _events(one, seen)
    return msgspec.structs.replace(
        seen, batches=(EventBatch(n=max(seen.events, 1) - 1, events=tuple(events)),), messages=()
    )


def _events(one: Message, seen: TurnProgress) -> Iterator[Said]:
    if one.role == "tool":
        yield from _wished(one, seen)
        yield {"kind": "result", "content": one.content}
    if one.role != "assistant" or one.status == "dead":
        return
    # what the model failed with is the turn's error, not the model's words
    if one.content and (one.calls or seen.state != "failed" or one.status != "whole"):
        yield {"kind": "words", "text": one.content}
    if not one.calls:
        yield {"kind": "end", "state": seen.state, "text": one.content}


def _wished(result: Message, seen: TurnProgress) -> Iterator[Said]:
    for one in seen.messages:
        if one.seq == result.call_seq and result.call_index is not None and result.call_index < len(one.calls):
            wished = understood(one, result.call_index)
            if wished.kind:
                yield {"kind": "call", "verb": wished.kind.verb, "arguments": wished.fields}
