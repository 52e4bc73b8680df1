"""The rule of idempotency keys, the same for every way in."""

from __future__ import annotations

from todo_cli.contract.limits import MAX_KEY_CHARS
from todo_cli.errors import Invalid


def check_key(key: str) -> None:
    """Raise Invalid for a key that is empty, too long or has a character that cannot be printed."""
    if not (1 <= len(key) <= MAX_KEY_CHARS and key.isprintable()):
        raise Invalid(f"an idempotency key has 1 to {MAX_KEY_CHARS} printable characters", hint="choose another key")
