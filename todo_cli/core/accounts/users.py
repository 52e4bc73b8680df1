"""Users, as administrators manage them, and who is signed in."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract import users as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.users import Identity, User, UserPage
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

ME = Sql(f"""
SELECT json_build_object(
    'user_id', u.id, 'name', u.name, 'admin', u.admin,
    'space_id', s.id, 'space', s.name, 'role', u.role,
    'token', t.name, 'scopes', t.scopes, 'expires_at', {format_instant("t.expires_at")},
    'timezone', p.timezone, 'model', p.model, 'budget', p.tokens_per_day,
    'show_usage', p.show_usage, 'filter', t.filter, 'verbs', t.verbs,
    'per_minute', t.per_minute, 'proposes', t.proposes)::text
  FROM todo.space_members() u
  JOIN todo.tokens t ON t.user_id = u.id AND t.id = (SELECT todo.current_token_id())
  JOIN todo.spaces s ON s.id = %(space)s::uuid
  LEFT JOIN todo.preferences p ON p.user_id = u.id
 WHERE u.id = %(me)s::uuid""")

USER: LiteralString = f"""jsonb_build_object(
    'id', u.id, 'name', u.name, 'admin', u.admin, 'login', u.login,
    'created_at', {format_instant("u.created_at")},
    'disabled_at', {format_instant("u.disabled_at")},
    'tokens_per_day', u.tokens_per_day, 'requests_per_minute', u.per_minute,
    'turns_per_minute', u.turns_per_minute, 'email', u.email)"""

ADD = build_journaled(f"""
  SELECT jsonb_build_object(
      'id', %(id)s::uuid, 'name', %(name)s::text, 'admin', %(admin)s::boolean,
      'created_at', {format_instant("clock_timestamp()")}) AS answer
    FROM (
      SELECT todo.add_user(%(id)s::uuid, %(name)s::text, %(admin)s::boolean, %(token_id)s::uuid,
          decode(%(token_hash)s, 'hex'), coalesce(%(zone)s::text,
            (SELECT p.timezone FROM todo.preferences p WHERE p.user_id = %(me)s::uuid)))
       WHERE NOT EXISTS (SELECT FROM known)) AS new_user""")

LIST = Sql(f"""
SELECT json_build_object('users', coalesce(json_agg({USER} ORDER BY u.name), '[]'))::text
  FROM todo.list_users() u""")

DISABLE = build_journaled(f"""
  SELECT {USER} AS answer FROM todo.disable_user(%(name)s, %(disabled)s::boolean) u
   WHERE NOT EXISTS (SELECT FROM known)""")


@handler(ask.WhoAmI)
async def who_am_i(tx: Transaction, request: ask.WhoAmI) -> Identity:
    """Return the caller, the token and the space."""
    return decode(await tx.finish(ME) or "", Identity)


@handler(ask.AddUser)
async def add_user(tx: Transaction, request: ask.AddUser) -> User:
    """Create a user with a personal space and a first token; raises Conflict for a name that is taken."""
    values = {
        "id": request.id,
        "name": validation.check_line("name", request.name),
        "admin": request.admin,
        "zone": tx.caller.zone,
    }
    return await run_journaled(
        tx, ADD, request, "nobody was added", **values, token_id=request.token_id, token_hash=request.token_hash
    )


@handler(ask.ListUsers)
async def list_users(tx: Transaction, request: ask.ListUsers) -> UserPage:
    """List all users by name."""
    return decode(await tx.finish(LIST) or "", UserPage)


@handler(ask.DisableUser)
async def disable_user(tx: Transaction, request: ask.DisableUser) -> User:
    """Disable or enable a user; raises NotFound, and Conflict for the caller."""
    return await run_journaled(
        tx, DISABLE, request, f"there is no user {request.name!r}", name=request.name, disabled=request.disabled
    )
