"""Ids, tokens and codes. The caller generates them, so that a repeated request creates the object once."""

import os
import time

from todo_cli.contract.base import Secret, token_user

SPACE_INVITATION_PREFIX = "space"

CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""The letters of codes that people type: no vowels, so that no words appear (RFC 8628, section 6.1)."""


def new_id() -> str:
    """Return a new UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000 & (1 << 48) - 1) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    return _format_uuid(value & ~(0x3 << 62) | 0x2 << 62)


def _format_uuid(value: int) -> str:
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def id_of(*words: str) -> str:
    """Return the same id for the same words on any machine: a UUIDv8 (RFC 9562 section 5.8) of their SHA-256."""
    from hashlib import sha256

    digest = sha256("\0".join(words).encode()).digest()
    value = int.from_bytes(digest[:16], "big") & ~(0xF << 76) | 0x8 << 76
    return _format_uuid(value & ~(0x3 << 62) | 0x2 << 62)


def new_token(user_id: str) -> Secret:
    """Return a new token `todo_<user>_<256 random bits>`; the user's id is readable beside the secret."""
    from secrets import token_urlsafe

    return Secret(f"todo_{user_id.replace('-', '')}_{token_urlsafe(32)}")


def token_hash(token: Secret) -> str:
    """Return the SHA-256 of a token in hex: all of it that is ever stored."""
    from hashlib import sha256

    return sha256(token.reveal().encode()).hexdigest()


def new_session_secret() -> Secret:
    """Return the 256 random bits of a session's token, which is complete once the user's id is known."""
    from secrets import token_urlsafe

    return Secret(token_urlsafe(32))


def session_token(user_id: str, secret: Secret) -> Secret:
    """Return the token of a session."""
    return Secret(f"todo_{user_id.replace('-', '')}_{secret.reveal()}")


def new_invitation(inviter_id: str) -> Secret:
    """Return a new invitation `invite_<user>_<256 random bits>`; the inviter's id is readable beside the secret."""
    return Secret("invite" + new_token(inviter_id).reveal().removeprefix("todo"))


def invitation_user(invitation: Secret) -> str:
    """Return the id of the inviter; for other text the nil id."""
    return token_user(invitation.reveal(), "invite")


def new_space_invitation(space_id: str) -> Secret:
    """Return a new invitation `space_<space>_<256 random bits>`; the space's id is readable beside the secret."""
    return Secret(SPACE_INVITATION_PREFIX + new_token(space_id).reveal().removeprefix("todo"))


def new_code(letters: int) -> str:
    """Return a random code in groups of four letters: `BCDF-GHJK`."""
    from secrets import choice

    code = "".join(choice(CODE_LETTERS) for _ in range(letters))
    return "-".join(code[place : place + 4] for place in range(0, letters, 4))


def read_code(text: str) -> str:
    """Return the letters of a code as people type it: in any case, with or without the dashes."""
    return "".join(letter for letter in text.upper() if letter.isalpha())


def code_hash(code: Secret) -> str:
    """Return the SHA-256 of a code in hex, however it is typed."""
    return token_hash(Secret(read_code(code.reveal())))


def is_uuid(text: str) -> bool:
    """Return whether the text is a UUID in its usual form."""
    parts = text.split("-")
    return [len(part) for part in parts] == [8, 4, 4, 4, 12] and not set(text) - set("0123456789abcdef-")
