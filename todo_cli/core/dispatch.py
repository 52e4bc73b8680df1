"""Which function answers which Request: `@handler` registers it, `handle` calls it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from todo_cli.contract.base import Request
from todo_cli.db.transaction import Transaction

R = TypeVar("R")
Handler = Callable[[Transaction, Any], Awaitable[Any]]
H = TypeVar("H", bound=Handler)

HANDLERS: dict[type[Request[Any]], Handler] = {}
"""Filled by `@handler` as `core.registry` imports the modules that define handlers."""


def handler(request: type[Request[Any]]) -> Callable[[H], H]:
    """Register the decorated function as the one that answers `request`."""
    if "verb" not in vars(request):
        raise TypeError(f"{request.__name__} has no verb of its own")

    def register(function: H) -> H:
        HANDLERS[request] = function
        return function

    return register


async def handle(tx: Transaction, request: Request[R]) -> R:
    """Answer one Request inside its transaction; raises TodoError."""
    answer: R = await HANDLERS[type(request)](tx, request)
    return answer
