"""The caller's own tokens; `sessions.py` has the sign-ins by password. Only their hashes arrive here, never the secrets."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract import tokens as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.tokens import SCOPES, RevokedToken, Token, TokenPage
from todo_cli.core import validation
from todo_cli.core.accounts.token_limits import read_limits
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid, NotAllowed

_TOKEN_JSON: LiteralString = f"""jsonb_build_object(
    'id', id, 'name', name, 'scopes', scopes,
    'created_at', {format_instant("created_at")},
    'last_used_at', {format_instant("last_used_at")},
    'expires_at', {format_instant("expires_at")},
    'revoked_at', {format_instant("revoked_at")},
    'current', id = (SELECT todo.current_token_id()), 'parent', parent,
    'filter', filter, 'verbs', verbs, 'per_minute', per_minute, 'proposes', proposes)"""

CREATE = build_journaled(f"""
  INSERT INTO todo.tokens (
    user_id, id, name, hash, scopes, expires_at, filter, reach, verbs, per_minute, proposes)
  SELECT user_id, %(id)s::uuid, %(name)s, decode(%(token_hash)s, 'hex'), %(scopes)s::text[],
         %(expires)s::timestamptz, %(filter)s::text, %(reach)s::jsonb,
         %(verbs)s::text[], %(per_minute)s::int, %(proposes)s::boolean
    FROM todo.tokens
   WHERE user_id = %(me)s::uuid AND id = (SELECT todo.current_token_id())
     AND ('all' = ANY (scopes) OR %(scopes)s::text[] <@ scopes)
     AND (%(expires)s::timestamptz IS NULL OR %(expires)s::timestamptz > clock_timestamp())
     AND NOT EXISTS (SELECT FROM known)
  RETURNING {_TOKEN_JSON} AS answer""")

# a trigger revokes the descendants
REVOKE = build_journaled(f"""
  WITH RECURSIVE descendants AS (
    SELECT k.id, k.name, k.parent FROM todo.tokens k
     WHERE k.user_id = %(me)s::uuid AND k.revoked_at IS NULL AND k.parent = (
       SELECT id FROM todo.tokens
        WHERE user_id = %(me)s::uuid AND kind = 'token' AND revoked_at IS NULL
          AND (name = %(name)s OR id::text = %(name)s))
     UNION
    SELECT k.id, k.name, k.parent FROM descendants d
      JOIN todo.tokens k ON k.user_id = %(me)s::uuid AND k.parent = d.id
     WHERE k.revoked_at IS NULL)
  UPDATE todo.tokens SET revoked_at = clock_timestamp()
   WHERE user_id = %(me)s::uuid AND kind = 'token' AND revoked_at IS NULL
     AND (name = %(name)s OR id::text = %(name)s)
     AND NOT EXISTS (SELECT FROM known)
  RETURNING {_TOKEN_JSON} || jsonb_build_object('descendants', ARRAY(
    SELECT d.name FROM descendants d ORDER BY d.name)) AS answer""")

LIST = Sql(f"""
SELECT json_build_object('tokens', coalesce(
    json_agg({_TOKEN_JSON} ORDER BY created_at, id), '[]'))::text
  FROM todo.tokens
 WHERE user_id = %(me)s::uuid AND kind = 'token'
   AND (%(all)s::boolean
     OR (revoked_at IS NULL AND coalesce(expires_at > clock_timestamp(), true)))""")


@handler(ask.CreateToken)
async def create_token(tx: Transaction, request: ask.CreateToken) -> Token:
    """Store the hash of a token; raises NotAllowed for scopes that the calling token lacks, Invalid for a past expiry."""
    if unknown := sorted(set(request.scopes) - set(SCOPES)):
        raise Invalid(f"there is no scope {unknown[0]!r}", hint=f"scopes: {', '.join(SCOPES)}")
    limits = await read_limits(tx, request)
    expires = await validation.read_expiry(tx, request.expires) if request.expires else None
    refusal = NotAllowed("a token cannot make one that reaches further than itself", hint="ask for fewer --scopes")
    values = {
        "id": request.id,
        "name": validation.check_line("name", request.name),
        "token_hash": request.hash,
        "scopes": sorted(set(request.scopes)),
        "expires": expires,
        **limits,
    }
    try:
        return await run_journaled(tx, CREATE, request, refusal, **values)
    except NotAllowed:
        if expires and tx.clock and expires <= tx.clock.now:
            raise Invalid(f"{request.expires!r} is in the past", hint="for example: --expires 90d") from None
        raise


@handler(ask.ListTokens)
async def list_tokens(tx: Transaction, request: ask.ListTokens) -> TokenPage:
    """List the caller's tokens, oldest first."""
    return decode(await tx.finish(LIST, all=request.all) or "", TokenPage)


@handler(ask.RevokeToken)
async def revoke_token(tx: Transaction, request: ask.RevokeToken) -> RevokedToken:
    """Revoke a token, which may be the calling one, and all that it created; they stop working with the next request."""
    return await run_journaled(tx, REVOKE, request, f"you have no token {request.name!r}", name=request.name)
