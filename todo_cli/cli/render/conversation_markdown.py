"""A conversation as Markdown, for people: what would act on a terminal is shown instead, as everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.contract.conversations import Conversation
from todo_cli.contract.turn_steps import Message


def conversation_lines(conversation: Conversation, messages: Iterable[Message]) -> Iterator[str]:
    """Its lines."""
    model = f", with {escape(conversation.model)}" if conversation.model else ""
    yield f"# {escape(conversation.title)}"
    yield ""
    yield f"Conversation {conversation.number}, begun {conversation.created_at:%Y-%m-%d %H:%M} UTC{model}."
    for one in messages:
        yield ""
        yield from _message_lines(one)


def _message_lines(one: Message) -> Iterator[str]:
    if one.role == "tool":
        yield from _code_block(one.content)
        return
    said = f", {one.at:%Y-%m-%d %H:%M} UTC" if one.at else ""
    if one.role == "user":
        yield f"## You{said}"
    else:
        model = f", {escape(one.model)}" if one.model else ""
        yield f"### todo{model}{said}{'' if one.status == 'whole' else ' (interrupted)'}"
    if one.content:
        yield ""
        yield escape_block(one.content)
    for call in one.calls:
        yield ""
        yield f"Calls `{escape(call.name).replace('`', '')}`:"
        yield ""
        yield from _code_block(call.arguments)
    if one.usage:
        yield ""
        yield f"*{_format_usage(one.usage)}*"


def _format_usage(usage: dict[str, object]) -> str:
    cost = f", {usage['cost']} {usage.get('currency', '')}".rstrip() if "cost" in usage else ""
    return escape(f"{usage.get('prompt', 0)} + {usage.get('completion', 0)} tokens{cost}")


def _code_block(text: str) -> Iterator[str]:
    """Fenced by more ticks than stand in it."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    yield f"{fence}json"
    yield escape_block(text)
    yield fence
