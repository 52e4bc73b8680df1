"""Following a turn that runs anywhere, from what is stored of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable

from todo_cli.chat.runner import Send
from todo_cli.contract.chat import ENDED, ReadEvents, Watched

RESTING = (*ENDED, "awaiting")
"""States in which nothing comes any more by itself."""
SOON, LATER = 0.25, 1.0
LONG = 20
"""Looks after which a turn is a long one, and is looked at half as often: every look counts in the person's limit."""
AT_ONCE = 200


async def watch(
    send: Send, turn: str, after: int, pause: Callable[[float], Awaitable[object]]
) -> AsyncGenerator[Watched, None]:
    """A look a few times a second while something comes, else one; the last is of a turn that rests."""
    silent = looks = 0
    while True:
        seen: Watched = await send(ReadEvents(turn=turn, after=after, limit=AT_ONCE))
        after = seen.batches[-1].n if seen.batches else after
        yield seen
        if len(seen.batches) == AT_ONCE:
            continue
        if seen.state in RESTING:
            return
        silent = 0 if seen.batches else silent + 1
        looks += 1
        await pause(LATER if silent > LONG else SOON if looks < LONG else SOON * 2)
