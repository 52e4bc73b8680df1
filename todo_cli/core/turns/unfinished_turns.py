"""Find turns whose process died, and get the right to continue one. Only servers and workers may do either."""

from __future__ import annotations

import msgspec

from todo_cli.contract.base import Secret
from todo_cli.contract.codec import decode
from todo_cli.contract.ids import token_hash
from todo_cli.db.pipeline import Connection, run
from todo_cli.db.sql import Sql

FIND = Sql("SELECT todo.find_unfinished_turns(%(limit)s::int)::text")

ACT_FOR = Sql("""
SELECT todo.act_for(%(space)s::uuid, %(user)s::uuid, %(turn)s::uuid, %(attempt)s::int,
    decode(%(hash)s, 'hex'))::text""")


class DeadTurn(msgspec.Struct, frozen=True):
    """A turn that no process runs in this attempt; `model` and `zone` are those of its user's request."""

    space: str
    user: str
    conversation: str
    turn: str
    attempt: int
    model: str | None = None
    zone: str | None = None


class UnfinishedTurns(msgspec.Struct, frozen=True):
    """The turns of all users that servers began and that have not ended; `live` counts those that a process runs."""

    live: int
    dead: tuple[DeadTurn, ...]


async def find_unfinished_turns(connection: Connection, limit: int) -> UnfinishedTurns:
    """Return the unfinished turns, so many dead ones at most; raises psycopg.Error."""
    rows = await run(connection, [(FIND, FIND.values({"limit": limit}))])
    return decode((rows[0] or ("",))[0] or "", UnfinishedTurns)


async def act_for(connection: Connection, turn: DeadTurn, token: Secret) -> bool:
    """Make a new token act for the token that asked for the turn; return False if it may not; raises psycopg.Error.

    Each of its steps is checked as a step of that token: it ends with it, with the membership and with the user.
    """
    values = msgspec.structs.asdict(turn) | {"hash": token_hash(token)}
    rows = await run(connection, [(ACT_FOR, ACT_FOR.values(values))])
    return rows[0] == ("true",)
