"""What every client can do, and the key that makes a repeated write safe."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from todo_cli.contract.base import Request
from todo_cli.errors import Invalid

R = TypeVar("R")


class Client(Protocol):
    """Sends requests; both faces raise the same errors for the same causes.

    A write without a key is given one, so that a request whose answer was lost is repeated safely.
    """

    def send_now(self, request: Request[R], key: str | None = None) -> R:
        """The answer, for a plain command: no event loop over HTTP."""
        ...

    async def send(self, request: Request[R], key: str | None = None) -> R:
        """The answer, for what runs many at once."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


MAX_KEY_CHARS = 200


def idempotency_key(request: Request[Any], key: str | None) -> str | None:
    """The key of one invocation: the given one, else for a write a new one. Raises Invalid."""
    if key is not None and not (1 <= len(key) <= MAX_KEY_CHARS and key.isprintable()):
        raise Invalid(f"a key is 1 to {MAX_KEY_CHARS} printable characters", hint="choose another --key")
    if key is not None or not request.write:
        return key
    from todo_cli.contract.ids import new_id

    return new_id()


def possibly_done_note(request: Request[Any], key: str | None) -> str:
    """What to add when an answer was lost: a write may have acted; repeated with its key it acts once."""
    return f". The request may have been carried out: repeat it with the same --key {key}" if request.write else ""
