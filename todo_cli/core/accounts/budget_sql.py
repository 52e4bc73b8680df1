"""The person's budget of tokens, as part of other statements: it is looked at where something is done anyway."""

from __future__ import annotations

from typing import LiteralString

BUDGET: LiteralString = """(SELECT json_build_object('allowed', b.allowed, 'spent', b.spent,
      'seconds', ceil(extract(epoch FROM b.ends - clock_timestamp()))::int) FROM todo.token_budget() b)"""
OVER: LiteralString = """(SELECT json_build_object('allowed', b.allowed, 'spent', b.spent,
      'seconds', ceil(extract(epoch FROM b.ends - clock_timestamp()))::int) FROM todo.token_budget() b WHERE b.spent >= b.allowed)"""
