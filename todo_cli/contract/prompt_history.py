"""What a person has said to the model: what the arrow keys bring back at the prompt, on any machine."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Request


class PromptPage(Struct, frozen=True, kw_only=True):
    """What was said, newest first."""

    prompts: tuple[str, ...]


class ListPrompts(Request[PromptPage], frozen=True, kw_only=True):
    """List what I have said in all my conversations, newest first; what is longer than 2,000 characters is left out."""

    verb = "ListPrompts"
    label = "chat"
    route = "GET /v1/prompts"
    scope = "chat"
    write = False

    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200
