"""The caller's sessions: sign-ins by password, which are tokens whose expiry slides."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract import sessions as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.sessions import RevokedSessions, SessionPage, SignedOut
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import NotFound

_SESSION_JSON: LiteralString = f"""json_build_object(
    'id', id, 'name', name, 'address', address,
    'created_at', {format_instant("created_at")},
    'last_used_at', {format_instant("last_used_at")},
    'expires_at', {format_instant("expires_at")},
    'revoked_at', {format_instant("revoked_at")},
    'current', id = (SELECT todo.current_token_id()))"""

LIST = Sql(f"""
SELECT json_build_object('sessions', coalesce(
    json_agg({_SESSION_JSON} ORDER BY created_at, id), '[]'))::text
  FROM todo.tokens
 WHERE user_id = %(me)s::uuid AND kind = 'session'
   AND (%(all)s::boolean OR (revoked_at IS NULL AND expires_at > clock_timestamp()))""")

REVOKE = build_journaled("""
  SELECT r AS answer FROM todo.revoke_sessions(%(name)s) r
   WHERE r IS NOT NULL AND NOT EXISTS (SELECT FROM known)""")

SIGN_OUT = build_journaled("""
  SELECT jsonb_build_object('session', s) AS answer FROM todo.end_current_session() s
   WHERE s IS NOT NULL AND NOT EXISTS (SELECT FROM known)""")


@handler(ask.ListSessions)
async def list_sessions(tx: Transaction, request: ask.ListSessions) -> SessionPage:
    """List the caller's sessions, oldest first."""
    return decode(await tx.finish(LIST, all=request.all) or "", SessionPage)


@handler(ask.RevokeSessions)
async def revoke_sessions(tx: Transaction, request: ask.RevokeSessions) -> RevokedSessions:
    """Revoke one session or all others, with the tokens that they created; raises NotFound for an unknown name."""
    return await run_journaled(tx, REVOKE, request, f"you have no session {request.name!r}", name=request.name)


@handler(ask.SignOut)
async def sign_out(tx: Transaction, request: ask.SignOut) -> SignedOut:
    """End the calling session, if the caller's token is one."""
    try:
        return await run_journaled(tx, SIGN_OUT, request, "the token is no session")
    except NotFound:
        return SignedOut()
