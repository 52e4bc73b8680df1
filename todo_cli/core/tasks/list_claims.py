"""List active claims. The change that made a claim has its beginning, its token and its reason."""

from __future__ import annotations

from msgspec import Struct

from todo_cli.contract.claims import Claim, ClaimList, ListClaims
from todo_cli.contract.codec import decode
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.fields_sql import NOW
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

LIST = Sql(f"""
SELECT json_build_object('claims', coalesce(json_agg(json_build_object(
    'number', t.number, 'title', t.title, 'user', coalesce(t.claimed_by, ''), 'token', k.name,
    'mine', t.claim_token IS NOT DISTINCT FROM todo.current_token_id(),
    'since', {format_instant("c.at")}, 'until', {format_instant("t.claimed_until")},
    'fence', t.fence, 'reason', c.request ->> 'reason')
    ORDER BY t.claimed_until, t.number), '[]'))::text
FROM (
  SELECT * FROM todo.tasks
  WHERE space_id = %(space)s::uuid AND claimed_until > {NOW}
    AND (NOT %(mine)s::boolean OR claim_token = todo.current_token_id())
  ORDER BY claimed_until, number LIMIT %(limit)s::int) AS t
  LEFT JOIN todo.changes c ON c.space_id = %(space)s::uuid AND c.seq = t.fence
  LEFT JOIN LATERAL ( -- a join would read the tokens of all users
    SELECT own.name FROM todo.tokens own WHERE own.user_id = c.user_id AND own.id = c.token_id
    OFFSET 0) AS k ON true""")


class _FoundClaims(Struct):
    claims: tuple[Claim, ...]


@handler(ListClaims)
async def list_claims(tx: Transaction, request: ListClaims) -> ClaimList:
    """Return active claims, the next to expire first. The token's name is known of the caller's own tokens alone."""
    text = await tx.finish(LIST, mine=request.mine, limit=request.limit + 1)
    claims = decode(text or "", _FoundClaims).claims
    return ClaimList(claims=claims[: request.limit], cut=len(claims) > request.limit)
