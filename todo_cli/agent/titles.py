"""Ask the model for a conversation's title, in one short call after the first turn has ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable
from typing import Any

import msgspec

from todo_cli.agent.attempt import SendRequest
from todo_cli.agent.prompts import TITLE_PROMPT
from todo_cli.agent.receive import AskModel, receive
from todo_cli.contract.codec import normalize_text
from todo_cli.contract.model_texts import StoreTitle
from todo_cli.contract.turn_steps import ReadReplay
from todo_cli.llm.pricing import usage_fields

TITLE_SECONDS = 15.0
"""Time for the call. Without a title the conversation keeps the first words of its first message."""
MAX_SENT_CHARS = 2_000
"""Characters of each message that are sent to the model."""
MAX_RECEIVED_CHARS = 2_000
"""Characters of the answer and its reasoning. The model is not read beyond them."""
MAX_TITLE_CHARS = 60


class GivenTitle(msgspec.Struct, frozen=True):
    """The title that a model has given, None where it gave none, and the usage of that call."""

    title: str | None
    usage: dict[str, Any] | None


async def request_title(ask_model: AskModel, question: str, answer: str) -> GivenTitle:
    """Ask the model to title a conversation by its first message and the answer to it; raise ModelFailed."""
    excerpt = f"user: {question[:MAX_SENT_CHARS]}\n\nassistant: {answer[:MAX_SENT_CHARS]}"
    request = [{"role": "system", "content": TITLE_PROMPT}, {"role": "user", "content": excerpt}]
    response = await receive(ask_model(request, ()), _BoundedSink(), TITLE_SECONDS)
    title = clean_title(response.text) if response.reason == "stop" else None
    return GivenTitle(title, usage_fields(response.usage))


async def store_title(send: SendRequest, ask_model: AskModel, conversation: str, turn: str, model: str | None) -> None:
    """Store a title for a conversation that has one turn; raise TodoError, also where the model fails."""
    replay = await send(ReadReplay(conversation=conversation, budget=MAX_SENT_CHARS * 4))
    messages = [message for message in replay.messages if message.role in ("user", "assistant") and message.content]
    is_first_turn = {message.turn for message in messages} == {turn} and messages[-1].role == "assistant"
    if replay.over or replay.cut or replay.summary or not is_first_turn:
        return
    given = await request_title(ask_model, messages[0].content, messages[-1].content)
    if given.title or given.usage:
        await send(
            StoreTitle(
                conversation=conversation,
                turn=turn,
                first_message=messages[0].content,
                title=given.title,
                model=model,
                usage=given.usage,
            )
        )


def clean_title(text: str) -> str | None:
    """Return the first line with words, without the decoration that models put around a title."""
    for line in normalize_text(text).splitlines():
        title = "".join(char for char in re.sub(r"\s+", " ", line) if char.isprintable())
        title = re.sub(r"^(?:#+|title:|[*_`\"'“”„«»\s])+|[*_`\"'“”„«».\s]+$", "", title, flags=re.IGNORECASE)
        if title:
            return title if len(title) <= MAX_TITLE_CHARS else title[: MAX_TITLE_CHARS - 1].rstrip() + "…"
    return None


class _BoundedSink:
    """A sink that shows and stores nothing, and stops a model that writes too much."""

    def __init__(self) -> None:
        self._received_chars, self._is_full = 0, asyncio.Event()

    def emit(self, event: dict[str, Any]) -> None:
        """Count the characters."""
        self._received_chars += len(event["text"])
        if self._received_chars > MAX_RECEIVED_CHARS:
            self._is_full.set()

    async def flush(self) -> None:
        """Do nothing: there is nothing to store."""

    @property
    def stopping(self) -> Awaitable[Any]:
        """Done once the model has written too much."""
        return self._is_full.wait()
