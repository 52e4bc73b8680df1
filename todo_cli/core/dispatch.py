"""Which function answers which Request: `@handler` registers it, `handle` calls it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any, TypeVar

from msgspec import to_builtins

from todo_cli.contract.base import Request
from todo_cli.core.registry import core_modules
from todo_cli.db.token_limits import LimitsUnknown, TokenLimits, remember_limits
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotAllowed

R = TypeVar("R")
Handler = Callable[[Transaction, Any], Awaitable[Any]]
H = TypeVar("H", bound=Handler)

HANDLERS: dict[type[Request[Any]], Handler] = {}
"""Filled by `@handler` as the modules of `core` are imported."""


def handler(request: type[Request[Any]]) -> Callable[[H], H]:
    """Register the decorated function as the one that answers `request`."""
    if "verb" not in vars(request):
        raise TypeError(f"{request.__name__} has no verb of its own")

    def register(function: H) -> H:
        HANDLERS[request] = function
        return function

    return register


def import_handlers(wanted: type[Request[Any]] | None = None) -> None:
    """Import the modules of `core` until one of them registers a handler of `wanted`; all of them without it.

    A command needs one handler, and importing them all costs as much as its work. A Request of `contract/views.py` is
    looked for in a package `core/views` first, if there is one.
    """
    noun = wanted.__module__.rpartition(".")[2] if wanted else ""
    for module in core_modules(noun):
        if wanted in HANDLERS:
            return
        import_module(module)


async def handle(tx: Transaction, request: Request[R]) -> R:
    """Answer one Request inside its transaction; raises TodoError."""
    if type(request) not in HANDLERS:
        import_handlers(type(request))
    answer: Callable[[Transaction, Request[R]], Awaitable[R]] = HANDLERS[type(request)]
    if tx.limits is None:
        try:
            return await answer(tx, request)
        except LimitsUnknown as error:  # the database did nothing, and names the limits of the token
            tx.limits = remember_limits(tx.caller.token, error)
            tx.values["knows_limits"] = True
    await _respect_limits(tx, tx.limits, request)
    return await answer(tx, request)


async def _respect_limits(tx: Transaction, limits: TokenLimits, request: Request[Any]) -> None:
    """Raise NotAllowed or Proposed where a token with these limits may not answer the Request itself."""
    if request.needs_unlimited:
        raise NotAllowed(
            f"a token with limits cannot run {request.label}, which acts on more than tasks",
            hint="use a token without limits",
        )
    if limits.proposes and request.scope == "tasks:write" and request.verb != "ProposeChange":
        from todo_cli.contract.proposals import ProposeChange

        await handle(tx, ProposeChange(operation=request.verb, arguments=to_builtins(request)))
