"""Store the token and the model's API key in the system keyring, if it has one that answers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from threading import Thread
from typing import TypeVar

from todo_cli.contract.base import Secret
from todo_cli.errors import Unavailable

T = TypeVar("T")

TOKEN_SERVICE = "todo"  # noqa: S105  # the name of an entry in the keyring
MODEL_SERVICE = "todo-model"
TOKEN_HINT = "sign in again with: todo login --no-keyring"  # noqa: S105  # a hint for the user
MODEL_KEY_HINT = "store the key in the settings instead: todo config set-key --no-keyring"
KEYRING_TIMEOUT_SECONDS = 5.0  # the keyring of a headless machine may wait for a password forever


def store_token(profile: str, token: Secret) -> bool:
    """Store the token; return False without a keyring that answers in time."""
    return _store(TOKEN_SERVICE, profile, token)


def read_token(profile: str) -> Secret | None:
    """Return the stored token, if any; raises Unavailable when the keyring does not answer."""
    return _read(TOKEN_SERVICE, profile, TOKEN_HINT)


def delete_token(profile: str) -> None:
    """Delete the stored token; raises Unavailable when the keyring does not answer."""
    _delete(TOKEN_SERVICE, profile, TOKEN_HINT)


def store_model_key(host: str, key: Secret) -> bool:
    """Store the API key for one host; return False without a keyring that answers in time."""
    return _store(MODEL_SERVICE, host, key)


@cache
def read_model_key(host: str) -> Secret | None:
    """Return the stored API key for the host, if any; raises Unavailable when the keyring does not answer."""
    return _read(MODEL_SERVICE, host, MODEL_KEY_HINT)


def delete_model_key(host: str) -> None:
    """Delete the stored API key for the host; raises Unavailable when the keyring does not answer."""
    _delete(MODEL_SERVICE, host, MODEL_KEY_HINT)


def _store(service: str, name: str, value: Secret) -> bool:
    def store() -> bool:
        import keyring

        if not _has_backend():
            return False
        keyring.set_password(service, name, value.reveal())
        return keyring.get_password(service, name) == value.reveal()

    try:
        return _call_with_timeout(store, "")
    except Unavailable:
        return False


def _read(service: str, name: str, hint: str) -> Secret | None:
    def read() -> str | None:
        import keyring

        return keyring.get_password(service, name)

    value = _call_with_timeout(read, hint)
    return None if value is None else Secret(value)


def _delete(service: str, name: str, hint: str) -> None:
    def delete() -> None:
        import keyring

        if keyring.get_password(service, name) is not None:
            keyring.delete_password(service, name)

    _call_with_timeout(delete, hint)


def _call_with_timeout(function: Callable[[], T], hint: str) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # reported below, in the caller's thread
            errors.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(KEYRING_TIMEOUT_SECONDS)
    if results:
        return results[0]
    reason = type(errors[0]).__name__ if errors else f"no answer in {KEYRING_TIMEOUT_SECONDS:g} s"
    raise Unavailable(f"the system keyring failed: {reason}", hint=hint)


def _has_backend() -> bool:
    import keyring
    from keyring.backends import fail, null

    return not isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring)
