"""Translate Postgres errors into ours. Nothing above `db` sees a psycopg error."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg

from todo_cli.contract.tokens import SCOPES_TO_USE
from todo_cli.db.token_limits import LimitsUnknown
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
)


class ConnectionLost(TodoError):
    """The connection was lost, so it is unknown whether the Request acted. Send it again with the same key."""

    code, status, exit_code = "unavailable", 503, 7
    default_hint = "try again in a moment"


class RolledBack(Unavailable):
    """The database did nothing, for a reason that passes. Send the Request again."""


RAISED: dict[str, type[TodoError]] = {  # SQLSTATEs that our own functions raise, with a message for the user
    "TD001": LimitsUnknown,
    "TD401": NotSignedIn,
    "TD403": NotAllowed,
    "TD404": NotFound,
    "TD409": Conflict,
    "TD422": Invalid,
    "TD429": TooMany,
    "TD503": Unavailable,
}

MIGRATE_HINT = "its operator runs: todo db migrate"
"""Functions of the database raise the same hint."""

STATES: dict[str, tuple[type[TodoError], str, str]] = {  # SQLSTATE, or its class -> error, detail, hint
    "28": (NotSignedIn, "the database refused the login", "check database_url in the configuration"),
    "42501": (NotAllowed, "the database does not allow this to this login", ""),
    "3D000": (Unavailable, "there is no such database", "check database_url in the configuration"),
    "3F000": (Unavailable, "the database is not set up", MIGRATE_HINT),
    "42P01": (Unavailable, "the database is not set up", MIGRATE_HINT),
    "42883": (Unavailable, "the database is not set up for this todo", MIGRATE_HINT),
    "53100": (Unavailable, "the database's disk is full", "its operator must make room; nothing was changed"),
    "53300": (Unavailable, "the database has no connection left", "try again in a moment"),
    "53": (Unavailable, "the database is out of resources", "try again in a moment"),
    "55P03": (Unavailable, "another change in this space took too long", "try again in a moment"),
    "57014": (Unavailable, "the database took too long", "try again in a moment"),
    "57": (Unavailable, "the database is going down or coming up", "try again in a moment"),
    "08": (Unavailable, "the connection to the database was lost", "try again in a moment"),
    "40": (Unavailable, "another change came in between", "try again"),
    "26000": (Unavailable, "a pooler has lost a prepared statement", 'set `prepare = "off"`; see docs/operations.md'),
    "42P05": (Unavailable, "a pooler has lost a prepared statement", 'set `prepare = "off"`; see docs/operations.md'),
    "25006": (Unavailable, "the database only reads at the moment", "try again in a moment"),
    "22021": (Invalid, "the text has a character that cannot be stored (NUL)", "remove it"),
    "22P05": (Invalid, "the text has a character that cannot be stored (NUL)", "remove it"),
    "22": (Invalid, "a value is out of range", ""),
}

TAKEN = {
    "users_name_key": "a user with this name already exists",
    "users_email_key": "a user with this e-mail address already exists",
    "users_pkey": "a user with this id already exists",
    "spaces_pkey": "a space with this id already exists",
    "tokens_user_name": "you already have a token with this name",
    "conversations_pkey": "a conversation with this id already exists",
    "turns_pkey": "a turn with this id already exists",
    "comments_pkey": "a comment with this id already exists",
    "tokens_pkey": "you already have a token with this id",
    "channels_pkey": "you already have a channel with this name",
    "tokens_user_hash": "this token is stored already",
    "invitations_pkey": "you already have an invitation with this id",
    "invitations_user_hash": "this invitation is stored already",
    "devices_pkey": "a device with this secret already asks to be signed in",
    "attachments_pkey": "an attachment with this id already exists",
}

LACKS_SCOPE = "the token lacks the scope "
LACKS_VERB = "the token may not run "
HAS_VERBS = "it may run: "
LACKS_ROLE = ("a viewer ", "a commenter ")
ROLE_HINT = "an owner of the space can change your role: todo space role NAME editor"
"""The beginning of a message of `todo.enter`; the name of the scope follows."""

NEEDS_SERVER = "this token cannot be used directly on the database"
"""A message of `todo.enter` for a token that is accepted from a server only."""

LOST = ("08", "57P01", "57P02", "57P03", "25006")
PASSING = ("40", "26000", "42P05")
"""Deadlocks, serialization failures, and statements that a pooler has mixed up."""


def _root_cause(error: psycopg.Error) -> psycopg.Error:
    # an aborted pipeline hides the error that aborted it
    while isinstance(error, psycopg.errors.PipelineAborted) and isinstance(error.__context__, psycopg.Error):
        error = error.__context__
    return error


def was_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone. Then the outcome is unknown, and the request may be repeated with its key."""
    state = _state(_root_cause(error))
    if state is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return state.startswith(LOST)


def was_rolled_back(error: psycopg.Error) -> bool:
    """Whether the database did nothing, for a reason that passes. Then the request may be repeated."""
    return (_state(_root_cause(error)) or "").startswith(PASSING)


def _state(error: psycopg.Error) -> str | None:
    return error.diag.sqlstate or error.sqlstate


def _prefixes(state: str) -> Iterator[str]:
    yield state
    yield state[:2]


def translate_error(error: psycopg.Error) -> TodoError:
    """Return our error for psycopg's; an unknown one becomes a Bug with psycopg's error as its cause."""
    error = _root_cause(error)
    state, diag = _state(error), error.diag
    if state in RAISED:
        extra = json.loads(diag.message_detail) if diag.message_detail else {}
        detail = diag.message_primary or "refused"
        detail, hint = _name_commands(detail, _find_hint(detail) or diag.message_hint)
        return RAISED[state](detail, hint=hint, **extra)
    if state == "23505" and diag.constraint_name in TAKEN:
        return Conflict(TAKEN[diag.constraint_name])
    for prefix in _prefixes(state or ""):
        if prefix in STATES:
            kind, detail, hint = STATES[prefix]
            return kind(detail, hint=hint or None)
    if state is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return Unavailable(_describe(error))
    return Bug(f"the database refused a statement ({state})")


def _find_hint(detail: str) -> str | None:
    """Return the command that makes a token with a missing scope, or who can give another role; None for other errors."""
    scope = detail.removeprefix(LACKS_SCOPE)
    if scope != detail:
        return f"make one that has it: todo token create --name NAME --scopes {SCOPES_TO_USE.get(scope, scope)}"
    return ROLE_HINT if detail.startswith(LACKS_ROLE) else None


def _name_commands(detail: str, hint: str | None) -> tuple[str, str | None]:
    """Name the verbs of a token's limits, which are names of Requests, as the commands that users know."""
    verb = detail.removeprefix(LACKS_VERB)
    if verb == detail:
        return detail, hint
    from todo_cli.contract.registry import label_of

    labels = sorted({label_of(each) for each in (hint or "").removeprefix(HAS_VERBS).split(", ") if each})
    return f"{LACKS_VERB}{label_of(verb)}", f"{HAS_VERBS}{', '.join(labels)}" if labels else None


def _describe(error: psycopg.Error) -> str:
    # libpq's message contains hosts and files, never the password
    first = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
    if "password authentication failed" in first:
        return "the database refused the login"
    return f"the database cannot be reached: {first}"


def translate_outcome(error: psycopg.Error) -> TodoError:
    """Return what Postgres reported of a transaction, or ConnectionLost where it reported nothing any more."""
    translation = translate_error(error)
    if was_rolled_back(error):
        return RolledBack(translation.detail, hint=translation.hint)
    return ConnectionLost(translation.detail) if was_lost(error) else translation
