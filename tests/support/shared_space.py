"""A space that several users share: its owner, and users who join it."""

from __future__ import annotations

from typing import Any

from tests.conftest import Person
from tests.support.ask import Ask, AskAs
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_space_invitation, token_hash
from todo_cli.contract.spaces import CreateSpace, InviteMember, JoinSpace, ListSpaces, MemberRole


def create_space(ask: Ask, ask_as: AskAs) -> Ask:
    """Let a user create a space and return the user in it."""
    space = ask(CreateSpace(id=new_id(), name="family"))
    assert (space.name, space.role, space.personal) == ("family", "owner", False)
    return ask_as(ask.who, space=space.id)


def space_of(owner: Ask) -> str:
    """Return the id of the space that an owner works in."""
    return next(space.id for space in owner(ListSpaces()).spaces if not space.personal)


def invite(owner: Ask, role: MemberRole = "editor", **more: Any) -> Secret:
    """Create an invitation and return it."""
    secret = new_space_invitation(space_of(owner))
    owner(InviteMember(id=new_id(), invitation_hash=token_hash(secret), role=role, **more))
    return secret


def join(owner: Ask, who: Person, ask_as: AskAs, role: MemberRole = "editor") -> Ask:
    """Let a user join the owner's space and return the user in it."""
    joined = ask_as(who)(JoinSpace(invitation=invite(owner, role)))
    assert joined.role == role
    return ask_as(who, space=joined.id)
