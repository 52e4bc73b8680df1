"""A title for a conversation, by the model that it was held with, in one short call after its first turn has ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Any

from todo_cli.agent.attempt import Send
from todo_cli.agent.prompts import TITLE
from todo_cli.agent.receive import Answer, listen
from todo_cli.contract.turn_steps import ReadReplay, StoreTitle
from todo_cli.errors import ModelFailed
from todo_cli.llm.pricing import as_stored

SECONDS = 15.0
"""That the call may take; then the first words stay."""
READ = 2_000
"""Characters of each message that the model is shown."""
HEARD = 2_000
"""Characters, of its thoughts too, after which it is not listened to any more."""
LONGEST = 60
"""Characters of a title."""


async def titled(send: Send, answer: Answer, conversation: str, turn: str, model: str | None) -> None:
    """Give it one after its first turn; where the model fails, the first words stay. Raises TodoError."""
    replay = await send(ReadReplay(conversation=conversation, budget=READ * 4))
    said = [one for one in replay.messages if one.role in ("user", "assistant") and one.content]
    if replay.over or replay.cut or replay.summary or {one.turn for one in said} != {turn} or said[-1].role == "user":
        return
    told = "\n\n".join(f"{one.role}: {one.content[:READ]}" for one in (said[0], said[-1]))
    messages = [{"role": "system", "content": TITLE}, {"role": "user", "content": told}]
    try:
        heard = await listen(answer(messages, ()), _Patience(), SECONDS)
    except ModelFailed:
        return
    title = short(heard.text) if heard.reason == "stop" else None
    if title or heard.usage:
        await send(
            StoreTitle(conversation=conversation, turn=turn, first_message=said[0].content, title=title, model=model,
                       usage=as_stored(heard.usage))
        )  # fmt: skip


def short(text: str) -> str | None:
    """The first line that says something, without what models put around a title."""
    for line in text.splitlines():
        plain = "".join(one for one in re.sub(r"\s+", " ", line) if one.isprintable())
        plain = re.sub(r"^(?:#+|title:|[*_`\"'“”„«»\s])+|[*_`\"'“”„«».\s]+$", "", plain, flags=re.IGNORECASE)
        if plain:
            return plain if len(plain) <= LONGEST else plain[: LONGEST - 1].rstrip() + "…"
    return None


class _Patience:
    """Nobody watches; a model that says too much is left."""

    def __init__(self) -> None:
        self._heard, self._enough = 0, asyncio.Event()

    def tell(self, event: dict[str, Any]) -> None:
        """Count it."""
        self._heard += len(event["text"])
        if self._heard > HEARD:
            self._enough.set()

    async def keep(self) -> None:
        """There is nothing to keep."""

    @property
    def stopping(self) -> Awaitable[Any]:
        """It has said too much."""
        return self._enough.wait()
