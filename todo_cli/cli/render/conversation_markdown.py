"""Format a conversation as Markdown, with control characters escaped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.contract.conversations import Conversation
from todo_cli.contract.turn_steps import Message

MIN_FENCE_CHARS = 3


def conversation_lines(conversation: Conversation, messages: Iterable[Message]) -> Iterator[str]:
    """Yield the lines of the document."""
    model = f", with {escape(conversation.model)}" if conversation.model else ""
    yield f"# {escape(conversation.title)}"
    yield ""
    yield f"Conversation {conversation.number}, started {conversation.created_at:%Y-%m-%d %H:%M} UTC{model}."
    for message in messages:
        yield ""
        yield from _message_lines(message)


def _message_lines(message: Message) -> Iterator[str]:
    if message.role == "tool":
        yield from _code_block(message.content)
        return
    time = f", {message.at:%Y-%m-%d %H:%M} UTC" if message.at else ""
    if message.role == "user":
        yield f"## You{time}"
    else:
        model = f", {escape(message.model)}" if message.model else ""
        yield f"### todo{model}{time}{'' if message.status == 'whole' else ' (interrupted)'}"
    if message.content:
        yield ""
        yield escape_block(message.content)
    for call in message.calls:
        yield ""
        yield f"Calls `{escape(call.name).replace('`', '')}`:"
        yield ""
        yield from _code_block(call.arguments)
    if message.usage:
        yield ""
        yield f"*{_format_usage(message.usage)}*"


def _format_usage(usage: dict[str, object]) -> str:
    cost = f", {usage['cost']} {usage.get('currency', '')}".rstrip() if "cost" in usage else ""
    return escape(f"{usage.get('prompt', 0)} + {usage.get('completion', 0)} tokens{cost}")


def _code_block(text: str) -> Iterator[str]:
    """Yield the text between fences longer than any run of backticks in it."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(MIN_FENCE_CHARS, longest + 1)
    yield f"{fence}json"
    yield escape_block(text)
    yield fence
