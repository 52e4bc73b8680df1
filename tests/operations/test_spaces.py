"""Spaces that several users share: members, roles, invitations."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from tests.support.connections import signed
from tests.support.limited_tokens import create_limited_token
from tests.support.shared_space import create_space, invite, join, space_of
from todo_cli.contract.base import Secret
from todo_cli.contract.comments import AddComment, EditComment, RemoveComment
from todo_cli.contract.ids import new_id, token_hash
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.spaces import (
    CreateSpace,
    DeleteSpace,
    DeleteSpaceInvitation,
    InviteMember,
    JoinSpace,
    LeaveSpace,
    ListMembers,
    ListSpaceInvitations,
    ListSpaces,
    MemberRole,
    RemoveMember,
    RenameSpace,
    SetMemberRole,
)
from todo_cli.contract.tasks import AddTask, CompleteTasks, ListTasks
from todo_cli.contract.users import DisableUser
from todo_cli.db.user_rows import read_user_tables
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotFound, TodoError

Opener = Any


@pytest.fixture
def owner(ask: Ask, ask_as: AskAs) -> Ask:
    """Return the owner of a new space, in it."""
    return create_space(ask, ask_as)


def test_invited_user_works_on_the_same_list(owner: Ask, ask_as: AskAs, db: Database) -> None:
    owner.add("milk")
    guest = join(owner, db.person(), ask_as)
    assert guest(CompleteTasks(numbers=(1,))).tasks[0].title == "milk"
    guest.add("bread")
    assert [task.title for task in owner(ListTasks()).tasks] == ["bread"]
    roles = {member.name: member.role for member in guest(ListMembers()).members}
    assert roles == {owner.who.name: "owner", guest.who.name: "editor"}
    assert [change.user for change in owner(ListChanges()).changes][:2] == [guest.who.name] * 2
    assert ask_as(guest.who)(ListTasks()).tasks == (), "the personal list of the guest stays apart"


def test_invitation_works_once_until_it_expires_or_is_withdrawn(owner: Ask, ask_as: AskAs, db: Database) -> None:
    used, withdrawn, expired = invite(owner), invite(owner, "viewer"), invite(owner)
    newest = owner(ListSpaceInvitations()).invitations
    assert [entry.role for entry in newest] == ["editor", "viewer", "editor"]
    owner(DeleteSpaceInvitation(id=newest[1].id))
    db.execute(
        "UPDATE todo.space_invitations SET expires_at = '2001-01-01' WHERE hash = decode(%s, 'hex')",
        token_hash(expired),
    )
    ask_as(db.person())(JoinSpace(invitation=used))
    foreign = Secret("space_" + "0" * 32 + "_x")
    for invitation in (used, withdrawn, expired, foreign, Secret("nonsense")):
        with pytest.raises(NotAllowed, match="not valid, was used or has expired"):
            ask_as(db.person())(JoinSpace(invitation=invitation))
    assert owner(ListSpaceInvitations()).invitations == ()
    with pytest.raises(NotFound):
        owner(DeleteSpaceInvitation(id=newest[1].id))
    with pytest.raises(Invalid, match="in the past"):
        invite(owner, expires="2001-01-01")


def test_invitation_of_a_former_owner_is_worth_nothing(owner: Ask, ask_as: AskAs, db: Database) -> None:
    second = join(owner, db.person(), ask_as, "owner")
    invitation = invite(second)
    owner(SetMemberRole(name=second.who.name, role="editor"))
    with pytest.raises(NotAllowed):
        ask_as(db.person())(JoinSpace(invitation=invitation))


def test_joining_again_never_lowers_the_role(owner: Ask, ask_as: AskAs, db: Database) -> None:
    guest = join(owner, db.person(), ask_as, "editor")
    assert ask_as(guest.who)(JoinSpace(invitation=invite(owner, "viewer"))).role == "editor"
    assert ask_as(guest.who)(JoinSpace(invitation=invite(owner, "owner"))).role == "owner"


def test_repeated_join_and_creation_with_a_key_act_once(ask: Ask, owner: Ask, ask_as: AskAs, db: Database) -> None:
    invitation, guest = invite(owner), ask_as(db.person())
    first = guest(JoinSpace(invitation=invitation), "k")
    assert guest(JoinSpace(invitation=invitation), "k") == first
    new = CreateSpace(id=new_id(), name="team")
    assert ask(new, "k") == ask(new, "k")
    assert [space.name for space in ask(ListSpaces()).spaces if not space.personal] == ["family", "team"]


@pytest.mark.parametrize("role", ["viewer", "commenter", "editor"])
def test_each_role_may_do_what_its_name_says(owner: Ask, ask_as: AskAs, db: Database, role: MemberRole) -> None:
    owner.add("milk")
    member = join(owner, db.person(), ask_as, role)
    comment = AddComment(number=1, id=new_id(), text="which?")
    may_comment, may_edit = role != "viewer", role == "editor"
    assert _is_allowed(member, comment) == may_comment
    assert _is_allowed(member, EditComment(number=1, id=comment.id, text="which one?")) == may_comment
    assert _is_allowed(member, RemoveComment(number=1, id=comment.id)) == may_comment
    assert _is_allowed(member, AddTask(title="bread")) == may_edit
    assert _is_allowed(member, CompleteTasks(numbers=(1,))) == may_edit
    assert member.show(1).title == "milk"
    for request in (
        RenameSpace(name="x"),
        RemoveMember(name=owner.who.name),
        SetMemberRole(name=member.who.name, role="owner"),
        InviteMember(id=new_id(), invitation_hash="0" * 64),
        ListSpaceInvitations(),
        DeleteSpaceInvitation(id=new_id()),
    ):
        assert not _is_allowed(member, request), request


@pytest.mark.parametrize("way", ["direct"])
def test_commenter_with_psql_changes_no_task(owner: Ask, ask_as: AskAs, db: Database, line: Opener, way: str) -> None:
    owner.add("milk")
    member = join(owner, db.person(), ask_as, "commenter")
    space = space_of(owner)
    with signed(member.who, space=space) as raw:
        assert raw.execute("SELECT count(*) FROM todo.tasks").fetchone() == (1,)
        assert raw.execute("UPDATE todo.tasks SET title = 'x' RETURNING 1").fetchall() == []
        raw.execute("INSERT INTO todo.comments (space_id, number, id, text) VALUES (%s, 1, %s, 'x')", (space, new_id()))


def test_member_with_limits_of_a_token_manages_no_members(ask: Ask, ask_as: AskAs, owner: Ask) -> None:
    space = space_of(owner)
    narrow = ask_as(ask.who, token=create_limited_token(ask, scopes=("read", "tasks:write")), space=space)
    for request in (RenameSpace(name="x"), InviteMember(id=new_id(), invitation_hash="0" * 64)):
        assert not _is_allowed(narrow, request)


def test_owners_rename_change_roles_and_remove(owner: Ask, ask_as: AskAs, db: Database) -> None:
    guest = join(owner, db.person(), ask_as)
    assert owner(RenameSpace(name="crew")).name == "crew"
    assert owner(SetMemberRole(name=guest.who.name, role="viewer")).role == "viewer"
    with pytest.raises(NotAllowed):
        guest.add("x")
    assert owner(RemoveMember(name=guest.who.name)).name == guest.who.name
    with pytest.raises(NotAllowed, match="not a member"):
        guest(ListTasks())
    for request in (RemoveMember(name=guest.who.name), SetMemberRole(name="nobody", role="owner")):
        with pytest.raises(NotFound):
            owner(request)
    with pytest.raises(Conflict, match="cannot remove yourself"):
        owner(RemoveMember(name=owner.who.name))


def test_space_keeps_an_owner(owner: Ask, ask_as: AskAs, db: Database) -> None:
    space = space_of(owner)
    with pytest.raises(Conflict, match="another owner first"):
        owner(SetMemberRole(name=owner.who.name, role="editor"))
    with pytest.raises(Conflict, match="the only member"):
        owner(LeaveSpace(id=space))
    guest = join(owner, db.person(), ask_as)
    with pytest.raises(Conflict, match="another owner first"):
        owner(LeaveSpace(id=space))
    owner(SetMemberRole(name=guest.who.name, role="owner"))
    assert owner(LeaveSpace(id=space)).id == space
    with pytest.raises(NotFound):
        ask_as(owner.who)(LeaveSpace(id=space))


def test_two_owners_who_leave_at_once_leave_one_behind(owner: Ask, ask_as: AskAs, db: Database) -> None:
    guest, space = join(owner, db.person(), ask_as, "owner"), space_of(owner)
    outcomes: list[bool] = []

    def leave(who: Person) -> None:
        outcomes.append(_is_allowed(ask_as(who), LeaveSpace(id=space), Conflict))

    threads = [threading.Thread(target=leave, args=(who,)) for who in (owner.who, guest.who)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, True]
    assert db.execute("SELECT role FROM todo.members WHERE space_id = %s", space) == [("owner",)]


def test_personal_space_is_neither_shared_nor_left(ask: Ask) -> None:
    for request in (
        RenameSpace(name="x"),
        InviteMember(id=new_id(), invitation_hash="0" * 64),
        LeaveSpace(id=ask.who.user_id),
        DeleteSpace(id=ask.who.user_id),
    ):
        with pytest.raises(Conflict, match="personal space"):
            ask(request)


def test_deleted_space_leaves_no_row_behind(owner: Ask, ask_as: AskAs, db: Database) -> None:
    space, guest = space_of(owner), join(owner, db.person(), ask_as)
    owner.add("milk", tags=("t",), note="n")
    owner(AddTask(title="bread", after=(1,), parent=1))
    owner(AddComment(number=1, id=new_id(), text="c"))
    with pytest.raises(Conflict, match="other members"):
        owner(DeleteSpace(id=space))
    owner(RemoveMember(name=guest.who.name))
    assert owner(DeleteSpace(id=space)).name == "family"
    with psycopg.connect(db.owner_url) as connection:
        tables = [
            table.name
            for table in read_user_tables(connection)
            if "space_id" in table.columns and table.name != "usage"
        ]
        left = {name: db.execute(f"SELECT count(*) FROM todo.{name} WHERE space_id = %s", space) for name in tables}
    assert {name for name, count in left.items() if count != [(0,)]} == set()
    assert [each.personal for each in ask_as(owner.who)(ListSpaces()).spaces] == [True]


def test_invitation_of_a_disabled_owner_is_worth_nothing(owner: Ask, ask_as: AskAs, db: Database) -> None:
    invitation = invite(owner)
    ask_as(db.person(admin=True))(DisableUser(name=owner.who.name))
    with pytest.raises(NotAllowed):
        ask_as(db.person())(JoinSpace(invitation=invitation))


def _is_allowed(ask: Ask, request: Any, refusal: type[TodoError] = NotAllowed) -> bool:
    try:
        ask(request)
    except refusal:
        return False
    return True
