"""The rate limit of a user: at most so many requests in any 60 seconds, whichever server answers them."""

from __future__ import annotations

from math import ceil

import msgspec

from todo_cli.db.sql import Sql
from todo_cli.errors import TodoError, TooMany

WINDOW_SECONDS = 60
USER_POLICY = "user"
CHAT_POLICY = "chat"

# It commits by itself, so it must be the first statement of its pipeline. Beyond the limit it raises, and the
# statements behind it do not run.
LIMIT_REQUEST = Sql("CALL todo.limit_request(%(me)s::uuid, %(policy)s, NULL)")


READ_LIMITS = Sql("SELECT todo.read_limits(%(me)s::uuid)")


class Rate(msgspec.Struct, frozen=True):
    """The state of a limit after a request: how many more fit, and the seconds until the oldest one is forgotten."""

    policy: str
    limit: int
    remaining: int
    reset: float
    at: float
    refused: bool = False


class RequestCount:
    """The record of one request in its user's limit, made at most once whatever the request needs of the database.

    While it `is_pending`, the first statement of the request takes the record along.
    """

    def __init__(self, policy: str) -> None:
        self.policy, self.is_pending = policy, True
        self.rate: Rate | None = None

    def store(self, rate: str | None) -> None:
        """Take what the limiter returned; None means that the user has no limit."""
        self.is_pending = False
        self.rate = msgspec.json.decode(rate, type=Rate) if rate else None

    def store_refusal(self, error: TodoError) -> None:
        """Take the error of a request that was counted: the limit itself, or a later statement, refused it."""
        self.is_pending = False
        if rate := error.extra.get("rate"):
            self.rate = msgspec.convert(rate, Rate)


def limit_error(rate: Rate) -> TooMany:
    """Return the error that todo.limit_request() raises, for a request that was counted elsewhere."""
    wait_seconds = max(1, ceil(rate.reset))
    unit = "turns" if rate.policy == CHAT_POLICY else "requests"
    return TooMany(
        f"more than {rate.limit} {unit} in a minute",
        hint=f"wait {wait_seconds} seconds; refused requests count too",
        retry_after=wait_seconds,
        rate=msgspec.to_builtins(rate),
    )
