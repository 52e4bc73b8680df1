"""The prompt history: a person's own messages, which the arrow keys recall on any machine."""

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Request


class PromptPage(Struct, frozen=True, kw_only=True):
    """Messages, newest first."""

    prompts: tuple[str, ...]


class ListPrompts(Request[PromptPage], frozen=True, kw_only=True):
    """List the messages that I sent in all my conversations, newest first, up to 2,000 characters each."""

    verb = "ListPrompts"
    label = "chat"
    route = "GET /v1/prompts"
    scope = "chat"
    write = False

    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200
