"""Spaces, their members, and the invitations to join them. The rules are in `db/functions/spaces.sql`."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.contract import spaces as ask
from todo_cli.contract.base import token_user
from todo_cli.contract.codec import decode
from todo_cli.contract.ids import SPACE_INVITATION_PREFIX, token_hash
from todo_cli.contract.spaces import (
    DeletedSpaceInvitation,
    Member,
    MemberPage,
    Space,
    SpaceInvitation,
    SpaceInvitationPage,
    SpacePage,
)
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import build_journaled, run_journaled
from todo_cli.core.json_sql import format_instant
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

LIST = Sql("""
SELECT json_build_object('spaces', coalesce(json_agg(json_build_object(
    'id', s.id, 'name', s.name, 'role', s.role, 'personal', s.id = %(me)s::uuid)
    ORDER BY s.id <> %(me)s::uuid, s.name), '[]'))::text
  FROM todo.user_spaces() s""")

_SHARED: LiteralString = """jsonb_build_object(
    'id', s.id, 'name', s.name, 'role', s.role, 'personal', false)"""
_OWNED: LiteralString = """jsonb_build_object(
    'id', s.id, 'name', s.name, 'role', 'owner', 'personal', false)"""
_NEW: LiteralString = "NOT EXISTS (SELECT FROM known)"

CREATE = build_journaled(f"""
  SELECT {_OWNED} AS answer FROM todo.create_space(%(id)s::uuid, %(name)s) s WHERE {_NEW}""")

RENAME = build_journaled(f"""
  SELECT {_OWNED} AS answer FROM todo.rename_space(%(name)s) s WHERE {_NEW}""")

JOIN = build_journaled(f"""
  SELECT {_SHARED} AS answer
    FROM todo.join_space(%(joined)s::uuid, decode(%(invitation_hash)s, 'hex')) s
   WHERE {_NEW}""")

LEAVE = build_journaled(f"""
  SELECT {_SHARED} AS answer FROM todo.leave_space(%(id)s::uuid) s WHERE {_NEW}""")

DELETE = build_journaled(f"""
  SELECT {_SHARED} AS answer FROM todo.delete_space(%(id)s::uuid) s WHERE {_NEW}""")

MEMBERS = Sql("""
SELECT json_build_object('members', coalesce(json_agg(json_build_object(
    'id', m.id, 'name', m.name, 'role', m.role) ORDER BY m.name), '[]'))::text
  FROM todo.space_members() m""")

_MEMBER: LiteralString = "jsonb_build_object('id', m.id, 'name', m.name, 'role', m.role)"

SET_ROLE = build_journaled(f"""
  SELECT {_MEMBER} AS answer FROM todo.set_member_role(%(name)s, %(role)s) m WHERE {_NEW}""")

REMOVE = build_journaled(f"""
  SELECT {_MEMBER} AS answer FROM todo.remove_member(%(name)s) m WHERE {_NEW}""")

_INVITATION: LiteralString = f"""jsonb_build_object(
    'id', i.id, 'role', i.role,
    'created_at', {format_instant("i.created_at")},
    'expires_at', {format_instant("i.expires_at")})"""

INVITE = build_journaled(f"""
  SELECT {_INVITATION} AS answer
    FROM todo.invite_member(%(id)s::uuid, decode(%(invitation_hash)s, 'hex'), %(role)s,
      %(expires)s::timestamptz) i
   WHERE %(expires)s::timestamptz > clock_timestamp() AND {_NEW}""")

INVITATIONS = Sql(f"""
SELECT json_build_object('invitations', coalesce(json_agg(
    {_INVITATION} || jsonb_build_object('inviter', i.inviter)
    ORDER BY i.created_at DESC, i.id), '[]'))::text
  FROM todo.list_space_invitations() i""")

UNINVITE = build_journaled(f"""
  SELECT jsonb_build_object('id', i) AS answer FROM todo.delete_space_invitation(%(id)s::uuid) i
   WHERE {_NEW}""")


@handler(ask.ListSpaces)
async def list_spaces(tx: Transaction, request: ask.ListSpaces) -> SpacePage:
    """List the caller's spaces."""
    return decode(await tx.finish(LIST) or "", SpacePage)


@handler(ask.CreateSpace)
async def create_space(tx: Transaction, request: ask.CreateSpace) -> Space:
    """Create a space; raises Conflict for an id that exists and for too many spaces."""
    name = validation.check_line("name", request.name)
    return await run_journaled(tx, CREATE, request, "no space was created", id=request.id, name=name)


@handler(ask.RenameSpace)
async def rename_space(tx: Transaction, request: ask.RenameSpace) -> Space:
    """Rename the current space; raises NotAllowed for others than its owners, Conflict for a personal space."""
    name = validation.check_line("name", request.name)
    return await run_journaled(tx, RENAME, request, "the space was not renamed", name=name)


@handler(ask.JoinSpace)
async def join_space(tx: Transaction, request: ask.JoinSpace) -> Space:
    """Join a space; raises NotAllowed for an invitation that is not valid."""
    joined = token_user(request.invitation.reveal(), SPACE_INVITATION_PREFIX)
    values = {"joined": joined, "invitation_hash": token_hash(request.invitation)}
    return await run_journaled(tx, JOIN, request, "the invitation is not valid", **values)


@handler(ask.LeaveSpace)
async def leave_space(tx: Transaction, request: ask.LeaveSpace) -> Space:
    """Leave a space; raises NotFound, and Conflict for its only owner."""
    return await run_journaled(tx, LEAVE, request, "you are not a member of the space", id=request.id)


@handler(ask.DeleteSpace)
async def delete_space(tx: Transaction, request: ask.DeleteSpace) -> Space:
    """Delete a space and everything in it; raises NotFound, and Conflict where it has other members."""
    return await run_journaled(tx, DELETE, request, "you are not a member of the space", id=request.id)


@handler(ask.ListMembers)
async def list_members(tx: Transaction, request: ask.ListMembers) -> MemberPage:
    """List the members of the current space."""
    return decode(await tx.finish(MEMBERS) or "", MemberPage)


@handler(ask.SetMemberRole)
async def set_member_role(tx: Transaction, request: ask.SetMemberRole) -> Member:
    """Change a member's role; raises NotFound, NotAllowed, and Conflict for the last owner."""
    name = validation.check_line("name", request.name)
    return await run_journaled(tx, SET_ROLE, request, _no_member(name), name=name, role=request.role)


@handler(ask.RemoveMember)
async def remove_member(tx: Transaction, request: ask.RemoveMember) -> Member:
    """Remove a member; raises NotFound, NotAllowed, and Conflict for the caller."""
    name = validation.check_line("name", request.name)
    return await run_journaled(tx, REMOVE, request, _no_member(name), name=name)


@handler(ask.InviteMember)
async def invite_member(tx: Transaction, request: ask.InviteMember) -> SpaceInvitation:
    """Store the hash of an invitation; raises Invalid for a past expiry, NotAllowed for others than owners."""
    values = {
        "id": request.id,
        "invitation_hash": request.invitation_hash,
        "role": request.role,
        "expires": await validation.read_expiry(tx, request.expires),
    }
    past = Invalid(f"{request.expires!r} is in the past", hint="for example: --expires 7d")
    return await run_journaled(tx, INVITE, request, past, **values)


@handler(ask.ListSpaceInvitations)
async def list_space_invitations(tx: Transaction, request: ask.ListSpaceInvitations) -> SpaceInvitationPage:
    """List the invitations to the current space; raises NotAllowed for others than its owners."""
    return decode(await tx.finish(INVITATIONS) or "", SpaceInvitationPage)


@handler(ask.DeleteSpaceInvitation)
async def delete_space_invitation(tx: Transaction, request: ask.DeleteSpaceInvitation) -> DeletedSpaceInvitation:
    """Withdraw an invitation; raises NotFound for one that was used."""
    return await run_journaled(tx, UNINVITE, request, "there is no unused invitation with this id", id=request.id)


def _no_member(name: str) -> str:
    return f"the space has no member {name!r}"
