"""The system's keyring, where there is one that answers."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import TypeVar

from todo_cli.contract.base import Secret
from todo_cli.errors import Unavailable

T = TypeVar("T")

SERVICE = "todo"
PATIENCE = 5.0  # seconds; a headless machine's keyring may wait for ever for a password


def _bounded(work: Callable[[], T]) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # carried to the caller's thread
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if results:
        return results[0]
    reason = type(errors[0]).__name__ if errors else f"no answer in {PATIENCE:.0f} s"
    raise Unavailable(f"the system keyring failed: {reason}", hint="sign in again with: todo login --no-keyring")


def _usable() -> bool:
    import keyring
    from keyring.backends import fail, null

    return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)


def store_token(profile: str, token: Secret) -> bool:
    """Keep the token; False where there is no keyring, or none that answers in time."""

    def work() -> bool:
        import keyring

        if not _usable():
            return False
        keyring.set_password(SERVICE, profile, token.reveal())
        return keyring.get_password(SERVICE, profile) == token.reveal()

    try:
        return _bounded(work)
    except Unavailable:
        return False


def read_token(profile: str) -> Secret | None:
    """The token; None when there is none. Raises Unavailable when the keyring does not answer."""

    def work() -> str | None:
        import keyring

        return keyring.get_password(SERVICE, profile)

    found = _bounded(work)
    return None if found is None else Secret(found)


def forget_token(profile: str) -> None:
    """Remove the token; raises Unavailable when the keyring does not answer."""

    def work() -> None:
        import keyring

        if keyring.get_password(SERVICE, profile) is not None:
            keyring.delete_password(SERVICE, profile)

    _bounded(work)
