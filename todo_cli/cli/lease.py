"""The option for the duration of a claim."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from todo_cli.contract.limits import DEFAULT_LEASE_SECONDS, MAX_LEASE_SECONDS
from todo_cli.errors import Invalid

Lease = Annotated[
    str | None, typer.Option("--lease", help="Duration of the claim: 90s, 15m, 1h30m (15m).", metavar="DURATION")
]


def parse_lease(words: str | None) -> int:
    """Return the seconds of a lease; raises Invalid."""
    if words is None:
        return DEFAULT_LEASE_SECONDS
    from todo_cli.parsing.durations import parse_duration

    seconds = math.ceil(parse_duration(words))
    if seconds > MAX_LEASE_SECONDS:
        raise Invalid("a lease is at most 7 days", hint="renew it later with: todo heartbeat N")
    return seconds
