"""The list in which a command that manages users acts: it is named, and never guessed."""

from __future__ import annotations

from typing import Any

from todo_cli.cli.session import Session
from todo_cli.errors import Conflict


def describe_target(session: Session) -> str:
    """Return the server or the database of the profile, for messages."""
    settings = session.settings
    if settings.server:
        return settings.server
    if settings.embedded:
        return f"the local list in {settings.embedded}"
    return describe_database(settings.database_url.reveal()) if settings.database_url else "no list"


def describe_database(url: str) -> str:
    """Return the name and the host of a database, without user and password."""
    values = _read_place(url)
    return f"the database {values['dbname']} at {values['host']}"


def raise_for_two_databases(session: Session) -> None:
    """Raise Conflict where the profile and the owner URL are different databases, and the user may mean either."""
    settings = session.settings
    if settings.serve_owner_url is None or settings.server:
        return
    if settings.database_url is None:
        raise Conflict("you are not signed in to the list", hint="act as the owner of its database with: --as-owner")
    owner = settings.serve_owner_url.reveal()
    if _read_place(owner) != _read_place(settings.database_url.reveal()):
        raise Conflict(
            f"TODO_OWNER_URL is {describe_database(owner)}, and the profile {settings.profile!r} is"
            f" {describe_target(session)}",
            hint="add --as-owner for the first, or unset TODO_OWNER_URL for the second",
        )


def _read_place(url: str) -> dict[str, Any]:
    from psycopg.conninfo import conninfo_to_dict

    values = conninfo_to_dict(url)
    return {
        "host": values.get("host") or values.get("hostaddr") or "this machine",
        "port": str(values.get("port") or 5432),
        "dbname": values.get("dbname") or values.get("user"),
    }
