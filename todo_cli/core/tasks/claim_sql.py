"""Who holds a task: the part of the statement that changes tasks which claims and releases them, and refuses what another holds.

A claim is a token's, until the database's clock says that it has run out or somebody lets it go; the person's name stands
beside it for others to see. What is finished or binned is nobody's.
"""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.tasks.snapshot_sql import instant

_MINE: LiteralString = "claim_token IS NOT DISTINCT FROM (SELECT todo.current_token_id())"
_WHO: LiteralString = f"json_build_object('number', number, 'by', claimed_by, 'until', {instant('claimed_until')})"

# one statement, one moment: a claim begins where the one before it has ended
REFUSED: LiteralString = f"""(SELECT json_agg({_WHO} ORDER BY place) FROM cur, moment
      WHERE p ?| '{{claim,release}}' AND NOT p ? 'force' AND claimed_until > now AND NOT {_MINE}) AS held,
    (SELECT json_agg({_WHO} ORDER BY place) FROM cur WHERE p ? 'if_claimed' AND NOT {_MINE}) AS lost,
    (SELECT to_json(true) FROM cur WHERE p ? 'force' AND NOT EXISTS (SELECT FROM todo.tokens k
       WHERE k.user_id = %(me)s::uuid AND k.id = todo.current_token_id() AND 'all' = ANY (k.scopes)) LIMIT 1) AS unforced"""

NAMES: LiteralString = "held, lost, unforced"
TOLD: LiteralString = "'held', held, 'lost', lost, 'unforced', unforced"


def _now(claimed: LiteralString, kept: LiteralString) -> LiteralString:
    return f"""CASE WHEN status <> 'open' OR p ? 'release' THEN NULL WHEN p ? 'claim' THEN {claimed} ELSE {kept} END AS {kept}"""


NEXT: LiteralString = f"""{_now("(SELECT m.name FROM todo.space_members() m WHERE m.id = %(me)s::uuid)", "claimed_by")},
    {_now("todo.current_token_id()", "claim_token")},
    {_now("now + make_interval(secs => (p ->> 'claim')::float8)", "claimed_until")}"""

CHANGED: LiteralString = "p ? 'claim' OR (p ? 'release' AND claim_token IS NOT NULL)"
