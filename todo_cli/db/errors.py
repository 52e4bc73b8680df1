"""What Postgres says -> what we say. Nothing above `db` sees a psycopg error."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg

from todo_cli.errors import (
    Bug,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TodoError,
    TooMany,
    Unavailable,
)  # fmt: skip

RAISED: dict[str, type[TodoError]] = {  # by our own functions, with a sentence for the user
    "TD401": NotSignedIn,
    "TD403": NotAllowed,
    "TD404": NotFound,
    "TD409": Conflict,
    "TD422": Invalid,
    "TD429": TooMany,
    "TD503": Unavailable,
}

STATES: dict[str, tuple[type[TodoError], str, str]] = {  # SQLSTATE, or its class -> error, detail, hint
    "28": (NotSignedIn, "the database refused the login", "check database_url in the configuration"),
    "42501": (NotAllowed, "the database does not allow this to this login", ""),
    "3D000": (Unavailable, "there is no such database", "check database_url in the configuration"),
    "3F000": (Unavailable, "the database is not set up", "its operator runs: todo db migrate"),
    "42P01": (Unavailable, "the database is not set up", "its operator runs: todo db migrate"),
    "42883": (Unavailable, "the database is not set up for this todo", "its operator runs: todo db migrate"),
    "53100": (Unavailable, "the database's disk is full", "its operator must make room; nothing was changed"),
    "53300": (Unavailable, "the database has no connection left", "try again in a moment"),
    "53": (Unavailable, "the database is out of resources", "try again in a moment"),
    "55P03": (Unavailable, "another change in this space took too long", "try again in a moment"),
    "57014": (Unavailable, "the database took too long", "try again in a moment"),
    "57": (Unavailable, "the database is going down or coming up", "try again in a moment"),
    "08": (Unavailable, "the connection to the database was lost", "try again in a moment"),
    "40": (Unavailable, "another change came in between", "try again"),
    "25006": (Unavailable, "the database only reads at the moment", "try again in a moment"),
    "22021": (Invalid, "the text has a character that cannot be stored (NUL)", "remove it"),
    "22P05": (Invalid, "the text has a character that cannot be stored (NUL)", "remove it"),
    "22": (Invalid, "a value is out of range", ""),
}

TAKEN = {
    "users_name_key": "there is already a person of that name",
    "users_pkey": "there is already a person of that id",
    "spaces_pkey": "there is already a space of that id",
    "tokens_user_name": "you already have a token of that name",
    "conversations_pkey": "there is already a conversation of that id",
    "turns_pkey": "there is already a turn of that id",
    "comments_pkey": "there is already a comment of that id",
    "tokens_pkey": "you already have a token of that id",
    "tokens_user_hash": "that token is kept already",
}

LOST = ("08", "57P01", "57P02", "57P03", "25006")


def _first(error: psycopg.Error) -> psycopg.Error:
    # a pipeline that was aborted hides what aborted it
    while isinstance(error, psycopg.errors.PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error


def was_lost(error: psycopg.Error) -> bool:
    """The connection is gone, so whether the request acted is unknown: it may be sent again with its key."""
    state = _state(_first(error))
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state.startswith(LOST)


def _state(error: psycopg.Error) -> str | None:
    return error.diag.sqlstate or error.sqlstate


def _prefixes(state: str) -> Iterator[str]:
    yield state
    yield state[:2]


def translate_error(error: psycopg.Error) -> TodoError:
    """The same thing in our words; what we do not know is a Bug, and psycopg's error stays its cause."""
    error = _first(error)
    state, diag = _state(error), error.diag
    if state in RAISED:
        extra = json.loads(diag.message_detail) if diag.message_detail else {}
        return RAISED[state](diag.message_primary or "refused", hint=diag.message_hint, **extra)
    if state == "23505" and diag.constraint_name in TAKEN:
        return Conflict(TAKEN[diag.constraint_name])
    for prefix in _prefixes(state or ""):
        if prefix in STATES:
            kind, detail, hint = STATES[prefix]
            return kind(detail, hint=hint or None)
    if state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable(_plain(error))
    return Bug(f"the database refused a statement of ours ({state})")


def _plain(error: psycopg.Error) -> str:
    # libpq's text names hosts and files, never the password
    first = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
    if "password authentication failed" in first:
        return "the database refused the login"
    return f"the database cannot be reached: {first}"
