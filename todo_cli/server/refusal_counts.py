"""Count failed sign-ins in the database, and answer 429 again without asking it."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import NamedTuple

import psycopg

from todo_cli.contract.base import Caller
from todo_cli.errors import NotSignedIn, TodoError, TooMany, Unavailable
from todo_cli.server.connection_pools import Pool

MAX_FAILURES_PER_MINUTE = 30  # for one account from one address
REPEAT_SECONDS = 0.5
"""A token beyond its limit gets the same answer for so long, however often it asks; those requests are not counted."""
MAX_REMEMBERED_REFUSALS = 10_000

COUNT_FAILURE = "SELECT todo.count_failure($1::uuid, $2)"


class TooManySignIns(TooMany):
    """Too many sign-ins with a wrong token."""


async def count_failed_sign_in(pool: Pool, caller: Caller, error: NotSignedIn) -> TodoError:
    """Count a failed sign-in and return the error to send: the given one, or TooMany after many failures.

    A valid token is never limited by other clients' failures.
    """
    try:
        async with pool.lend(wait_for_database=False) as connection:
            values = [caller.user_id, caller.address or ""]
            row = await (await connection.execute(COUNT_FAILURE, values, prepare=False)).fetchone()
    except (psycopg.Error, Unavailable):
        return error
    if row is not None and row[0] > MAX_FAILURES_PER_MINUTE:
        return TooManySignIns("too many failed sign-ins", hint="check the token, then wait a minute", retry_after=60)
    return error


def is_rate_limit(error: Exception) -> bool:
    """Return whether an error is about all requests of a token, and not a budget, a size, or one kind of request."""
    return isinstance(error, TooManySignIns) or (isinstance(error, TooMany) and "rate" in error.extra)


class Refusal(NamedTuple):
    """A refusal, and the process's time of it in seconds."""

    at: float
    error: TodoError


class RecentRefusals:
    """The last 429 of each token under each policy, by the token's hash."""

    def __init__(self) -> None:
        self._refusals: OrderedDict[tuple[str, str], Refusal] = OrderedDict()

    def add(self, token: str, policy: str, error: TodoError) -> None:
        """Remember the refusal of a token if a rate limit made it."""
        if not is_rate_limit(error):
            return
        self._refusals[token, policy] = Refusal(time.monotonic(), error)
        self._refusals.move_to_end((token, policy))
        if len(self._refusals) > MAX_REMEMBERED_REFUSALS:
            self._refusals.popitem(last=False)

    def raise_recent(self, token: str, policy: str) -> None:
        """Raise the last refusal of this token if it was a moment ago."""
        refusal = self._refusals.get((token, policy))
        if refusal and time.monotonic() - refusal.at < REPEAT_SECONDS:
            raise TooMany(refusal.error.detail, hint=refusal.error.hint, **refusal.error.extra)
