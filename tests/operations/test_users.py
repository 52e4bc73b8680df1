"""People through both ways in: administrators add, list, disable and enable them; nobody else."""

from __future__ import annotations

import pytest

from tests.conftest import Database, Person
from tests.operations.test_idempotency import shared_space
from tests.support.ask import Ask, AskAs
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.rate_limits import SetRateLimit
from todo_cli.contract.spaces import ListSpaces
from todo_cli.contract.tasks import ListTasks
from todo_cli.contract.users import AddUser, DisableUser, ListUsers, User, WhoAmI
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn


@pytest.fixture
def admin(db: Database, ask_as: AskAs) -> Ask:
    """An administrator."""
    return ask_as(db.person(admin=True))


def add(asker: Ask, name: str, **more: bool) -> tuple[User, Secret]:
    """A new person and their first token."""
    user_id = new_id()
    token = new_token(user_id)
    return asker(AddUser(id=user_id, name=name, token_id=new_id(), token_hash=token_hash(token), **more)), token


def test_who_am_i_returns_the_user_the_token_and_the_space(ask: Ask) -> None:
    me = ask(WhoAmI())
    assert (me.name, me.user_id, me.admin, me.role, me.token, me.scopes) == (
        ask.who.name,
        ask.who.user_id,
        False,
        "owner",
        "first",
        ("all",),
    )
    assert (me.space, me.space_id) == (ask.who.name, ask.who.user_id)
    assert me.timezone == "Europe/Berlin"


def test_user_is_added_listed_disabled_and_enabled(admin: Ask, ask_as: AskAs) -> None:
    name = f"{admin.who.name} née Ωmega"
    made, token = add(admin, name)
    assert (made.name, made.admin, made.login, made.disabled_at) == (name, False, None, None)
    assert next(one for one in admin(ListUsers()).users if one.name == name).id == made.id
    mine = next(one for one in admin(ListUsers()).users if one.name == admin.who.name)
    assert (mine.admin, mine.login) == (True, f"todo_{admin.who.user_id.replace('-', '')}")
    new = ask_as(Person(name, made.id, token.reveal(), admin.who.database_url))
    if admin.way == "direct":
        with pytest.raises(NotAllowed, match="cannot be used directly"):
            new(WhoAmI())
        return
    assert new.add("their first").number == 1
    assert admin(ListTasks()).tasks == ()
    assert admin(DisableUser(name=name)).disabled_at is not None
    with pytest.raises(NotSignedIn):
        new(ListTasks())
    first = admin(DisableUser(name=name)).disabled_at
    assert admin(DisableUser(name=name)).disabled_at == first, "disabled stays disabled, since the first time"
    assert admin(DisableUser(name=name, disabled=False)).disabled_at is None
    assert [task.title for task in new(ListTasks()).tasks] == ["their first"]


def test_disabled_user_is_refused_at_the_next_request(admin: Ask, ask_as: AskAs, db: Database) -> None:
    other = ask_as(db.person())
    other.add("a")
    admin(DisableUser(name=other.who.name))
    with pytest.raises(NotSignedIn):
        other.add("b")
    admin(DisableUser(name=other.who.name, disabled=False))
    assert other.add("c").number == 2


def test_administrator_adds_an_administrator(admin: Ask) -> None:
    assert add(admin, f"{admin.who.name}-2", admin=True)[0].admin is True


def test_user_who_is_no_administrator_is_refused(ask: Ask, db: Database) -> None:
    other = db.person()
    for request in (
        ListUsers(),
        DisableUser(name=other.name),
        AddUser(id=new_id(), name="x", token_id=new_id(), token_hash="a" * 64),
    ):
        with pytest.raises(NotAllowed, match="only an administrator may do this"):
            ask(request)  # type: ignore[arg-type]


def test_user_with_a_taken_name_or_id_is_refused(admin: Ask) -> None:
    name = f"{admin.who.name}-x"
    made, _ = add(admin, name)
    with pytest.raises(Conflict, match="user with this name already exists"):
        add(admin, name)
    with pytest.raises(Conflict, match="user with this id already exists"):
        admin(AddUser(id=made.id, name=f"{name}-y", token_id=new_id(), token_hash="a" * 64))
    for bad in ("", " ", "a\nb", "a\0b", "x" * 101):
        with pytest.raises(Invalid):
            add(admin, bad)
    assert not [one for one in admin(ListUsers()).users if one.name == f"{name}-y"]


def test_disabling_oneself_or_an_unknown_user_is_refused(admin: Ask) -> None:
    with pytest.raises(Conflict, match="you cannot disable yourself"):
        admin(DisableUser(name=admin.who.name))
    with pytest.raises(NotFound, match="there is no user"):
        admin(DisableUser(name=f"{admin.who.name}-nobody"))


def test_list_of_spaces_begins_with_the_personal_one(ask: Ask, ask_as: AskAs, db: Database) -> None:
    other = db.person()
    shared_space(db, other)
    space = shared_space(db, ask.who, other, role="viewer")
    own, team = ask(ListSpaces()).spaces
    assert (own.id, own.role, own.personal) == (ask.who.user_id, "owner", True)
    assert (team.id, team.name, team.role, team.personal) == (space, "team", "viewer", False)
    there = ask_as(ask.who, space=space)
    assert (there(WhoAmI()).space, there(WhoAmI()).role) == ("team", "viewer")


def test_viewer_reads_and_changes_nothing(db: Database, ask_as: AskAs) -> None:
    owner, viewer = db.person(), db.person()
    space = shared_space(db, owner, role="owner")
    db.execute("INSERT INTO todo.members (space_id, user_id, role) VALUES (%s, %s, 'viewer')", space, viewer.user_id)
    ask_as(owner, space=space).add("a")
    ask = ask_as(viewer, space=space)
    assert ask.show(1).title == "a"
    with pytest.raises(NotAllowed, match="a viewer cannot change this space") as caught:
        ask.add("b")
    assert "todo space role NAME editor" in caught.value.hint


@pytest.mark.parametrize("space", ["00000000-0000-7000-8000-000000000000", "team", ""])
def test_space_of_others_is_refused(person: Person, ask_as: AskAs, space: str) -> None:
    ask = ask_as(person, space=space)
    if not space:
        assert ask.add("a").number == 1, "none named: the own one"
        return
    with pytest.raises((NotAllowed, Invalid)):
        ask.add("a")


def test_rate_limit_that_an_administrator_sets_is_stored_and_listed(admin: Ask, ask_as: AskAs, db: Database) -> None:
    other = ask_as(db.person())
    name = other.who.name
    admin(SetRateLimit(name=name, requests_per_minute=6, turns_per_minute=30))
    changed = admin(SetRateLimit(name=name, requests_per_minute=7))
    assert (changed.requests_per_minute, changed.turns_per_minute) == (7, 30), "the other limit stays"
    assert admin(SetRateLimit(name=name, turns_per_minute=None)).turns_per_minute is None
    [listed] = [user for user in admin(ListUsers()).users if user.name == name]
    assert (listed.requests_per_minute, listed.turns_per_minute) == (7, None)
    assert db.execute("SELECT per_minute, turns_per_minute FROM todo.users WHERE name = %s", name) == [(7, None)]
    with pytest.raises(NotFound, match="nobody at all"):
        admin(SetRateLimit(name="nobody at all", requests_per_minute=7))
    with pytest.raises(NotAllowed):
        other(SetRateLimit(name=name, requests_per_minute=None))
    with pytest.raises(Invalid):
        admin(SetRateLimit(name=name, requests_per_minute=0))
