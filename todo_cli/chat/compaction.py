"""Folding older turns into a summary, by the same model. The messages stay; the newest turns are never folded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from todo_cli.chat.listening import Answer, Keeper, listen
from todo_cli.chat.prompt import SUMMARISE
from todo_cli.chat.replay import whole_turns
from todo_cli.contract.chat import Begun, Message, Replay, StoreSummary
from todo_cli.errors import ModelFailed

CROWDED = 0.75
"""Of the budget: what is read beyond it is folded."""
KEPT = 2
"""Turns that are left as they are: the one that runs, and the one before."""


def crowded(replay: Replay, budget: int) -> bool:
    """Whether it is time."""
    return replay.cut or sum(one.tokens for one in replay.messages) > budget * CROWDED


def foldable(messages: Sequence[Message], conversation: str) -> list[Message]:
    """All but the newest turns, as far as they were said in this conversation: a fork's past is the other's."""
    turns = [list(said) for _, said in groupby(whole_turns(messages), key=lambda one: one.turn)]
    older = [one for said in turns[:-KEPT] for one in said]
    while older and older[-1].conversation != conversation:
        older.pop()
    return older


async def compacted(
    answer: Answer, replay: Replay, begun: Begun, keeper: Keeper, seconds: float
) -> StoreSummary | None:
    """The summary to be stored; None where there is nothing to fold, or the model gives none."""
    older = foldable(replay.messages, begun.conversation)
    if not older:
        return None
    told = "\n\n".join(_told(one) for one in older)
    before = f"Earlier:\n{replay.summary}\n\n" if replay.summary else ""
    messages = [{"role": "system", "content": SUMMARISE}, {"role": "user", "content": f"{before}{told}"}]
    try:
        heard = await listen(answer(messages, ()), _Quiet(keeper), seconds)
    except ModelFailed:
        return None
    if heard.reason not in ("stop", "length") or not heard.text.strip():
        return None
    return StoreSummary(turn=begun.turn, attempt=begun.attempt, conversation=begun.conversation,
                        reaches=older[-1].seq, text=heard.text[:20_000])  # fmt: skip


def _told(one: Message) -> str:
    called = "".join(f"\n[{call.name} {call.arguments}]" for call in one.calls)
    return f"{one.role}: {one.content[:4_000]}{called}"


class _Quiet:
    """Nobody watches a summary being written, but the lease goes on."""

    def __init__(self, keeper: Keeper) -> None:
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
