"""What a person has said to the model: what the arrow keys bring back at the prompt, on any machine."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Request


class SaidPage(Struct, frozen=True, kw_only=True):
    """What was said, newest first."""

    said: tuple[str, ...]


class ListSaid(Request[SaidPage], frozen=True, kw_only=True):
    """List what I have said in all my conversations, newest first; what is longer than 2,000 characters is left out."""

    verb = "ListSaid"
    label = "chat"
    route = "GET /v1/said"
    scope = "chat"
    write = False

    limit: Annotated[int, Meta(ge=1, le=1_000)] = 200
