"""Ask once whether anything has changed in many spaces, for the streams of a server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from todo_cli.contract.codec import decode
from todo_cli.db.pipeline import Connection, run
from todo_cli.db.sql import Sql

READ_STATES = Sql("SELECT todo.watched_states(%(spaces)s::uuid[], %(users)s::uuid[])::text")


class WatchedSpace(NamedTuple):
    """A space, and the user who follows it."""

    space: str
    user: str


async def read_states(connection: Connection, watched: Sequence[WatchedSpace]) -> list[str]:
    """Return the state of each; it is another text once something has changed. Raises psycopg.Error."""
    values = {"spaces": [each.space for each in watched], "users": [each.user for each in watched]}
    rows = await run(connection, [(READ_STATES, READ_STATES.values(values))])
    return decode((rows[0] or ("[]",))[0] or "[]", list[str])
