"""Registration of users by themselves, and the invitations of administrators."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract import registration as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.password_steps import BeginRegistration, StoreRegistration
from todo_cli.contract.registration import DeletedInvitation, Invitation, InvitationPage, Registered
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

BEGIN = Sql("SELECT todo.begin_registration(%(address)s)::text")

REGISTER = Sql("""
SELECT todo.register_user(%(id)s::uuid, %(email)s, %(name)s, %(hash)s, %(zone)s,
  %(inviter)s::uuid, decode(%(invitation_hash)s, 'hex'))::text""")

_INVITATION_JSON: LiteralString = f"""jsonb_build_object(
    'id', i.id, 'email', i.email,
    'created_at', {format_instant("i.created_at")},
    'expires_at', {format_instant("i.expires_at")})"""

CREATE = build_journaled(f"""
  SELECT {_INVITATION_JSON} AS answer
    FROM todo.create_invitation(%(id)s::uuid, decode(%(invitation_hash)s, 'hex'), %(email)s,
      %(expires)s::timestamptz) i
   WHERE %(expires)s::timestamptz > clock_timestamp() AND NOT EXISTS (SELECT FROM known)""")

LIST = Sql(f"""
SELECT json_build_object('invitations', coalesce(json_agg(
    {_INVITATION_JSON} || jsonb_build_object('inviter', i.inviter, 'used_by', i.used_by)
    ORDER BY i.created_at DESC, i.id), '[]'))::text
  FROM todo.list_invitations() i
 WHERE %(all)s::boolean OR (i.used_by IS NULL AND i.expires_at > clock_timestamp())""")

DELETE = build_journaled("""
  SELECT jsonb_build_object('id', i) AS answer FROM todo.delete_invitation(%(id)s::uuid) i
   WHERE NOT EXISTS (SELECT FROM known)
   LIMIT 1""")  # administrators choose the ids, and two may have chosen the same


@handler(BeginRegistration)
async def begin_registration(tx: Transaction, request: BeginRegistration) -> Registered:
    """Count a registration of the caller's address; raises TooMany."""
    await tx.finish(BEGIN, address=tx.caller.address)
    return Registered(email=request.email.lower())


@handler(StoreRegistration)
async def store_registration(tx: Transaction, request: StoreRegistration) -> Registered:
    """Create the user unless the address has an account; raises NotAllowed for an invitation that is not valid."""
    email = request.email.lower()
    await tx.finish(
        REGISTER,
        id=request.id,
        email=email,
        name=validation.check_line("name", request.name),
        hash=request.password_hash,
        zone=tx.caller.zone,
        inviter=request.inviter,
        invitation_hash=request.invitation_hash,
    )
    return Registered(email=email)


@handler(ask.CreateInvitation)
async def create_invitation(tx: Transaction, request: ask.CreateInvitation) -> Invitation:
    """Store the hash of an invitation; raises Invalid for a past expiry."""
    values = {
        "id": request.id,
        "invitation_hash": request.invitation_hash,
        "email": request.email and request.email.lower(),
        "expires": await validation.read_expiry(tx, request.expires),
    }
    past = Invalid(f"{request.expires!r} is in the past", hint="for example: --expires 7d")
    return await run_journaled(tx, CREATE, request, past, **values)


@handler(ask.ListInvitations)
async def list_invitations(tx: Transaction, request: ask.ListInvitations) -> InvitationPage:
    """List the invitations of all administrators."""
    return decode(await tx.finish(LIST, all=request.all) or "", InvitationPage)


@handler(ask.DeleteInvitation)
async def delete_invitation(tx: Transaction, request: ask.DeleteInvitation) -> DeletedInvitation:
    """Delete an invitation; raises NotFound for one that was used."""
    return await run_journaled(tx, DELETE, request, "there is no unused invitation with this id", id=request.id)
