"""Folding older turns into a summary, by the same model. The messages stay; the newest turns are never folded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from todo_cli.agent.messages import whole_turns
from todo_cli.agent.prompts import SUMMARISE
from todo_cli.agent.receive import Answer, EventSink, listen
from todo_cli.contract.turn_steps import ClaimedTurn, Message, Replay, StoreSummary
from todo_cli.errors import ModelFailed
from todo_cli.llm.pricing import as_stored

CROWDED = 0.75
"""Of the budget: what is read beyond it is folded."""
KEPT = 2
"""Turns that are left as they are: the one that runs, and the one before."""
WIDE = 4
"""Budgets that are read where turns were cut before they were folded, so that the summary tells of them too."""
LONGEST, SHORTEST = 4_000, 100
"""Characters of one message, when it is folded."""


def crowded(replay: Replay, budget: int) -> bool:
    """Whether it is time."""
    return replay.cut or sum(one.tokens for one in replay.messages) > budget * CROWDED


def foldable(messages: Sequence[Message], conversation: str, budget: int) -> list[Message]:
    """All but the newest turns; where that would end within what a fork has inherited, all of that instead."""
    turns = [list(said) for _, said in groupby(whole_turns(messages), key=lambda one: one.turn)]
    # a turn that does not fit beside the newest would keep the summary itself from being read
    kept = KEPT if sum(one.tokens for said in turns[-KEPT:] for one in said) <= budget * CROWDED else 1
    older = [one for said in turns[:-kept] for one in said]
    if older and older[-1].conversation != conversation:
        return [one for said in turns for one in said if one.conversation != conversation]
    return older


async def compacted(
    answer: Answer, replay: Replay, begun: ClaimedTurn, keeper: EventSink, *, budget: int, room: int, seconds: float
) -> StoreSummary | None:
    """The summary to be stored; None where there is nothing to fold, or the model gives none. `room`: characters."""
    older = foldable(replay.messages, begun.conversation, budget)
    if not older:
        return None
    before = f"Earlier:\n{replay.summary}\n\n" if replay.summary else ""
    messages = [
        {"role": "system", "content": SUMMARISE},
        {"role": "user", "content": f"{before}{_within(older, room)}"},
    ]
    try:
        heard = await listen(answer(messages, ()), _Quiet(keeper), seconds)
    except ModelFailed:
        return None
    if heard.reason not in ("stop", "length") or not heard.text.strip():
        return None
    # a fork's past is the other's: that it is told here is said by 0
    reaches = older[-1].seq if older[-1].conversation == begun.conversation else 0
    return StoreSummary(turn=begun.turn, attempt=begun.attempt, conversation=begun.conversation,
                        reaches=reaches, text=heard.text[:20_000], usage=as_stored(heard.usage))  # fmt: skip


def _within(older: Sequence[Message], room: int) -> str:
    """All of them, the long ones cut so that it fits."""
    longest = LONGEST
    while (told := _said(older, longest)) and len(told) > room and longest > SHORTEST:
        longest //= 2
    return told[-room:]


def _said(older: Sequence[Message], longest: int) -> str:
    return "\n\n".join(_told(one, longest) for one in older)


def _told(one: Message, longest: int) -> str:
    called = "".join(f"\n[{call.name} {call.arguments[:longest]}]" for call in one.calls)
    return f"{one.role}: {one.content[:longest]}{called}"


class _Quiet:
    """Nobody watches a summary being written, but the lease goes on."""

    def __init__(self, keeper: EventSink) -> None:
        self._keeper = keeper

    def tell(self, event: dict[str, Any]) -> None:
        """Nothing is told."""

    async def keep(self) -> Any:
        """The lease, and whether somebody wants the end."""
        return await self._keeper.keep()

    @property
    def stopping(self) -> Any:
        """As of the turn."""
        return self._keeper.stopping
