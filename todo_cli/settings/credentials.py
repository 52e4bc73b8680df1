"""The system's keyring, where there is one that answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Thread
from typing import TypeVar

from todo_cli.contract.base import Secret
from todo_cli.errors import Unavailable

T = TypeVar("T")

SERVICE = "todo"
MODEL_SERVICE = "todo-model"
SIGN_IN = "sign in again with: todo login --no-keyring"
SET_KEY = "keep the key elsewhere: todo config set-key --no-keyring"
PATIENCE = 5.0  # seconds; a headless machine's keyring may wait for ever for a password


def _bounded(work: Callable[[], T], hint: str) -> T:
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
    raise Unavailable(f"the system keyring failed: {reason}", hint=hint)


def _usable() -> bool:
    import keyring
    from keyring.backends import fail, null

    return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)


def store_token(profile: str, token: Secret) -> bool:
    """Keep the token; False where there is no keyring, or none that answers in time."""
    return _store(SERVICE, profile, token)


def read_token(profile: str) -> Secret | None:
    """The token; None when there is none. Raises Unavailable when the keyring does not answer."""
    return _read(SERVICE, profile, SIGN_IN)


def forget_token(profile: str) -> None:
    """Remove the token; raises Unavailable when the keyring does not answer."""
    _forget(SERVICE, profile, SIGN_IN)


def store_model_key(host: str, key: Secret) -> bool:
    """Keep a model's key for that host alone; False where there is no keyring, or none that answers in time."""
    return _store(MODEL_SERVICE, host, key)


@cache
def read_model_key(host: str) -> Secret | None:
    """The key for that host; None when there is none. Asked once a process. Raises Unavailable."""
    return _read(MODEL_SERVICE, host, SET_KEY)


def forget_model_key(host: str) -> None:
    """Remove the key for that host; raises Unavailable when the keyring does not answer."""
    _forget(MODEL_SERVICE, host, SET_KEY)


def _store(service: str, name: str, value: Secret) -> bool:
    def work() -> bool:
        import keyring

        if not _usable():
            return False
        keyring.set_password(service, name, value.reveal())
        return keyring.get_password(service, name) == value.reveal()

    try:
        return _bounded(work, "")
    except Unavailable:
        return False


def _read(service: str, name: str, hint: str) -> Secret | None:
    def work() -> str | None:
        import keyring

        return keyring.get_password(service, name)

    found = _bounded(work, hint)
    return None if found is None else Secret(found)


def _forget(service: str, name: str, hint: str) -> None:
    def work() -> None:
        import keyring

        if keyring.get_password(service, name) is not None:
            keyring.delete_password(service, name)

    _bounded(work, hint)
