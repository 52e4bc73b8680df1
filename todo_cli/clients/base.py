"""The interface of every client, and the idempotency key that makes a repeated write safe."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from todo_cli.contract.base import Request
from todo_cli.contract.clock import Clock
from todo_cli.contract.display import DisplayPreferences
from todo_cli.contract.keys import check_key

R = TypeVar("R")


class Client(Protocol):
    """Sends Requests to the core. Every client raises the same errors for the same causes.

    A write without an idempotency key gets a new one, so that it is repeated safely when its answer is lost. `clock` is
    the database's time at the last answer and the user's time zone, None before the first. `display` are the
    preferences by which the user wants answers shown.
    """

    clock: Clock | None
    display: DisplayPreferences

    def send_now(self, request: Request[R], key: str | None = None) -> R:
        """Return the answer, without an event loop over HTTP; raises TodoError."""
        ...

    async def send(self, request: Request[R], key: str | None = None, fences: tuple[int, ...] = ()) -> R:
        """Return the answer, from an event loop; raises TodoError. `fences` replace those of the settings."""
        ...

    async def aclose(self) -> None:
        """Close the connections that `send` opened, in the same event loop."""
        ...

    def close(self) -> None:
        """Close the connections that `send_now` opened."""
        ...


def idempotency_key(request: Request[Any], key: str | None) -> str | None:
    """Return the given key, else a new one for a write and None for a read; raises Invalid."""
    if key is not None:
        check_key(key)
    if key is not None or not request.write:
        return key
    from todo_cli.contract.ids import new_id

    return new_id()


def possibly_done_note(request: Request[Any], key: str | None) -> str:
    """Return the sentence for a write whose answer was lost: repeated with its key, it is done once."""
    return f". The request may have been carried out: repeat it with the same --key {key}" if request.write else ""
