"""The user's token budget, as a part of other statements, so that reading it costs no round trip."""

from __future__ import annotations

from typing import LiteralString

_SELECT_BUDGET: LiteralString = """
    SELECT json_build_object('allowed', b.allowed, 'spent', b.spent,
        'seconds', ceil(extract(epoch FROM b.ends - clock_timestamp()))::int)
      FROM todo.token_budget() b"""

BUDGET: LiteralString = f"({_SELECT_BUDGET})"
OVER: LiteralString = f"({_SELECT_BUDGET} WHERE b.spent >= b.allowed)"
"""Null unless the budget is spent."""
