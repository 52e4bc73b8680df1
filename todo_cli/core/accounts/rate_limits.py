"""The rate limit of a user. `todo.record_request()` and a server that counts elsewhere read it."""

from __future__ import annotations

import msgspec

from todo_cli.contract import rate_limits as ask
from todo_cli.contract.users import User
from todo_cli.core.accounts.users import USER
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.db.transaction import Transaction

SET_RATE_LIMIT = build_journaled(f"""
  SELECT {USER} AS answer FROM todo.set_rate_limit(%(name)s, %(limits)s::jsonb) u
   WHERE NOT EXISTS (SELECT FROM known)""")


@handler(ask.SetRateLimit)
async def set_rate_limit(tx: Transaction, request: ask.SetRateLimit) -> User:
    """Set the limits that the request names; raises NotFound."""
    limits = {"requests": request.requests_per_minute, "turns": request.turns_per_minute}
    given = {name: value for name, value in limits.items() if value is not msgspec.UNSET}
    return await run_journaled(
        tx,
        SET_RATE_LIMIT,
        request,
        f"there is no user {request.name!r}",
        name=request.name,
        limits=msgspec.json.encode(given).decode(),
    )
