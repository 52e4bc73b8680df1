"""Fold older turns into a summary, by the same model. The messages stay; the newest turns are never folded."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from todo_cli.agent.messages import complete_turns
from todo_cli.agent.prompts import SUMMARY_PROMPT
from todo_cli.agent.receive import AskModel, EventSink, receive
from todo_cli.contract.model_texts import StoreSummary
from todo_cli.contract.turn_steps import ClaimedTurn, Message, Replay
from todo_cli.errors import ModelFailed
from todo_cli.llm.pricing import usage_fields

COMPACTION_SHARE = 0.75
"""The share of the budget beyond which older turns are folded."""
KEPT_TURNS = 2
"""Turns that stay as they are: the running one and the one before."""
WIDE_BUDGETS = 4
"""Budgets to read where turns were cut before they were folded, so that the summary covers them too."""
MAX_MESSAGE_CHARS, MIN_MESSAGE_CHARS = 4_000, 100
"""Characters of one message that are sent for a summary: the most, and the least where it must fit."""
MAX_SUMMARY_CHARS = 20_000


def needs_compaction(replay: Replay, budget_tokens: int) -> bool:
    """Return True if older turns should be folded."""
    return replay.cut or sum(message.tokens for message in replay.messages) > budget_tokens * COMPACTION_SHARE


def select_foldable(messages: Sequence[Message], conversation: str, budget_tokens: int) -> list[Message]:
    """Return the messages to fold: all but the newest turns.

    Where they would end within the messages that a fork inherited, all inherited messages are returned instead.
    """
    turns = [list(group) for _, group in groupby(complete_turns(messages), key=lambda message: message.turn)]
    newest_tokens = sum(message.tokens for turn in turns[-KEPT_TURNS:] for message in turn)
    # a turn that does not fit beside the newest one would keep the summary itself from being read
    kept = KEPT_TURNS if newest_tokens <= budget_tokens * COMPACTION_SHARE else 1
    older = [message for turn in turns[:-kept] for message in turn]
    if older and older[-1].conversation != conversation:
        return [message for turn in turns for message in turn if message.conversation != conversation]
    return older


async def summarize(
    ask_model: AskModel,
    replay: Replay,
    begun: ClaimedTurn,
    sink: EventSink,
    *,
    budget_tokens: int,
    max_chars: int,
    seconds: float,
) -> StoreSummary | None:
    """Return the summary to store; None where there is nothing to fold or the model fails."""
    older = select_foldable(replay.messages, begun.conversation, budget_tokens)
    if not older:
        return None
    before = f"Earlier:\n{replay.summary}\n\n" if replay.summary else ""
    messages = [
        {"role": "system", "content": SUMMARY_PROMPT},
        {"role": "user", "content": f"{before}{_transcript(older, max_chars)}"},
    ]
    try:
        response = await receive(ask_model(messages, ()), _SilentSink(sink), seconds)
    except ModelFailed:
        return None
    if response.reason not in ("stop", "length") or not response.text.strip():
        return None
    # 0 stands for all that a fork inherited: those messages belong to another conversation
    reaches = older[-1].seq if older[-1].conversation == begun.conversation else 0
    return StoreSummary(
        turn=begun.turn,
        attempt=begun.attempt,
        conversation=begun.conversation,
        reaches=reaches,
        text=response.text[:MAX_SUMMARY_CHARS],
        usage=usage_fields(response.usage),
    )


def _transcript(messages: Sequence[Message], max_chars: int) -> str:
    """Return all messages as text, with the long ones cut so that it fits."""
    message_chars = MAX_MESSAGE_CHARS
    while len(text := _join(messages, message_chars)) > max_chars and message_chars > MIN_MESSAGE_CHARS:
        message_chars //= 2
    return text[-max_chars:]


def _join(messages: Sequence[Message], message_chars: int) -> str:
    return "\n\n".join(_format(message, message_chars) for message in messages)


def _format(message: Message, message_chars: int) -> str:
    calls = "".join(f"\n[{call.name} {call.arguments[:message_chars]}]" for call in message.calls)
    return f"{message.role}: {message.content[:message_chars]}{calls}"


class _SilentSink:
    """A sink for a summary: nothing is shown, but the turn's lease is renewed and the user may stop it."""

    def __init__(self, sink: EventSink) -> None:
        self._sink = sink

    def emit(self, event: dict[str, Any]) -> None:
        """Do nothing: nobody reads a summary while it arrives."""

    async def flush(self) -> Any:
        """Renew the lease, and learn of a request to stop."""
        return await self._sink.flush()

    @property
    def stopping(self) -> Any:
        """Done once the user of this process asks to stop."""
        return self._sink.stopping
