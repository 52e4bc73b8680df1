"""Tokens through both ways in. Narrow ones work through a server only: directly they are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Database, Person
from tests.support.ask import Ask, AskAs
from todo_cli.contract.base import Request, Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.tasks import AddTask, ListTasks
from todo_cli.contract.tokens import SCOPES, CreateToken, ListTokens, RevokeToken
from todo_cli.contract.users import AddUser, ListUsers, WhoAmI
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotFound, NotSignedIn


def make(ask: Ask, name: str = "cron", scopes: tuple[str, ...] = ("all",), expires: str | None = None) -> Secret:
    """A new token of the asker's."""
    token = new_token(ask.who.user_id)
    ask(CreateToken(id=new_id(), hash=token_hash(token), name=name, scopes=scopes, expires=expires))
    return token


# directly there are no narrower tokens: test_token_of_fewer_scopes_needs_a_server
through_a_server = pytest.mark.parametrize("way", ["api"])


@pytest.fixture
def narrow(ask: Ask, ask_as: AskAs) -> Any:
    """Ask with a narrower token."""
    return lambda *scopes, **more: ask_as(ask.who, make(ask, f"n{new_id()[-8:]}", scopes, **more).reveal())


def test_token_is_created_listed_and_used(ask: Ask, ask_as: AskAs) -> None:
    token = make(ask, expires="90d")
    first, cron = ask(ListTokens()).tokens
    assert (first.name, first.current, first.scopes) == ("first", True, ("all",))
    assert first.last_used_at is not None
    assert (cron.name, cron.current, cron.last_used_at, cron.revoked_at) == ("cron", False, None, None)
    assert cron.expires_at is not None
    assert timedelta(days=89) < cron.expires_at - datetime.now(UTC) < timedelta(days=91)
    other = ask_as(ask.who, token.reveal())
    assert other(WhoAmI()).token == "cron"
    assert other.add("from cron").number == 1
    used = ask(ListTokens()).tokens[1].last_used_at
    assert used is not None
    assert abs(datetime.now(UTC) - used) < timedelta(minutes=1)
    assert [one.current for one in other(ListTokens()).tokens] == [False, True]


def test_revoked_token_is_refused_at_the_next_request(ask: Ask, ask_as: AskAs) -> None:
    other = ask_as(ask.who, make(ask).reveal())
    other.add("a")
    gone = ask(RevokeToken(name="cron"))
    assert gone.revoked_at is not None
    with pytest.raises(NotSignedIn, match="revoked"):
        other.add("b")
    assert [one.name for one in ask(ListTokens()).tokens] == ["first"]
    assert [(one.name, one.revoked_at is not None) for one in ask(ListTokens(all=True)).tokens] == [
        ("first", False),
        ("cron", True),
    ]
    with pytest.raises(NotFound, match="you have no token 'cron'"):
        ask(RevokeToken(name="cron"))
    make(ask)
    assert ask(RevokeToken(name=ask(ListTokens()).tokens[1].id)).name == "cron", (
        "the name is free again; the id works too"
    )


def test_token_revokes_itself(ask: Ask, ask_as: AskAs) -> None:
    other = ask_as(ask.who, make(ask).reveal())
    assert other(RevokeToken(name="cron")).revoked_at is not None
    with pytest.raises(NotSignedIn):
        other(WhoAmI())


def test_token_of_another_user_is_neither_listed_nor_revoked(ask: Ask, ask_as: AskAs, db: Database) -> None:
    theirs = ask_as(db.person())
    make(theirs, "theirs")
    with pytest.raises(NotFound):
        ask(RevokeToken(name="theirs"))
    with pytest.raises(NotFound):
        ask(RevokeToken(name=theirs(ListTokens()).tokens[1].id))
    assert [one.name for one in ask(ListTokens(all=True)).tokens] == ["first"]


def test_expired_token_is_refused_and_listed_only_with_all(ask: Ask, ask_as: AskAs, db: Database) -> None:
    token = make(ask, expires="2d").reveal()
    ask_as(ask.who, token)(WhoAmI())
    db.execute(
        "UPDATE todo.tokens SET expires_at = clock_timestamp() - interval '1 ms' WHERE user_id = %s AND name = 'cron'",
        ask.who.user_id,
    )
    with pytest.raises(NotSignedIn, match="the token has expired"):
        ask_as(ask.who, token)(WhoAmI())
    assert len(ask(ListTokens()).tokens) == 1
    assert len(ask(ListTokens(all=True)).tokens) == 2


def test_text_that_is_no_token_is_refused(ask: Ask, ask_as: AskAs, db: Database, person: Person) -> None:
    other = db.person()
    mixed = f"todo_{person.user_id.replace('-', '')}_{other.token.split('_', 2)[2]}"
    for token in (
        person.token[:-1],
        person.token[:20],
        person.token + "x",
        "nonsense",
        "todo__",
        mixed,
        "é" * 10,
        "todo_" + "f" * 32 + "_x",
    ):
        for request in (WhoAmI(), AddTask(title="a")):
            with pytest.raises(NotSignedIn):
                ask_as(person, token)(request)  # type: ignore[arg-type]
    assert ask(ListTasks()).tasks == ()


def test_token_of_another_user_acts_for_that_user_or_is_refused(ask: Ask, ask_as: AskAs, db: Database) -> None:
    """Through a server a token is its owner's; on my own database login somebody else's is refused."""
    other = db.person()
    foreign = ask_as(ask.who, other.token)
    if ask.way == "direct":
        with pytest.raises(NotAllowed, match="cannot be used directly"):
            foreign(WhoAmI())
    else:
        assert foreign(WhoAmI()).name == other.name


def test_token_of_fewer_scopes_needs_a_server(ask: Ask, ask_as: AskAs) -> None:
    reader = ask_as(ask.who, make(ask, scopes=("read",)).reveal())
    if ask.way == "direct":
        with pytest.raises(NotAllowed, match="cannot be used directly on the database") as caught:
            reader(ListTasks())
        assert "need a server" in caught.value.hint
    else:
        assert reader(ListTasks()).tasks == ()


@through_a_server
def test_scope_allows_its_requests_and_no_others(narrow: Any) -> None:
    allowed: dict[str, Request[Any]] = {
        "read": ListTasks(),
        "tasks:write": AddTask(title="a"),
        "tokens:write": CreateToken(id=new_id(), hash="a" * 64, name="x", scopes=("tokens:write",)),
    }
    for scope in (*allowed, "prefs:write", "admin"):
        ask = narrow(scope)
        assert ask(WhoAmI()).scopes == (scope,), "any token may say whose it is"
        for needed, request in allowed.items():
            if needed == scope:
                ask(request)
                continue
            with pytest.raises(NotAllowed, match=f"the token lacks the scope {needed}"):
                ask(request)


@through_a_server
def test_token_creates_no_wider_token(narrow: Any) -> None:
    ask = narrow("tokens:write", "read")
    for scopes in (("all",), ("tasks:write",), ("read", "tasks:write"), ("read", "admin")):
        with pytest.raises(NotAllowed, match="reaches further than itself"):
            make(ask, "wider", scopes)
    make(ask, "narrower", ("read",))
    make(ask, "equal", ("tokens:write", "read"))
    with pytest.raises(NotAllowed, match="lacks the scope tokens:write"):
        make(narrow("read"), "x", ("read",))


@through_a_server
def test_scope_admin_of_a_user_who_is_no_administrator_is_refused(ask: Ask, narrow: Any) -> None:
    for asker in (ask, narrow("admin")):
        with pytest.raises(NotAllowed, match="only an administrator"):
            asker(ListUsers())
        with pytest.raises(NotAllowed, match="only an administrator"):
            asker(AddUser(id=new_id(), name="x", token_id=new_id(), token_hash="a" * 64, admin=True))


@pytest.mark.parametrize(
    ("fields", "error", "sentence"),
    [
        ({"scopes": ()}, Invalid, "scopes is empty"),
        ({"scopes": ("nonsense",)}, Invalid, "there is no scope 'nonsense'"),
        ({"name": ""}, Invalid, "name is empty"),
        ({"name": " "}, Invalid, "blank"),
        ({"name": "x" * 101}, Invalid, "longer than 100"),
        ({"name": "first"}, Conflict, "already have a token with this name"),
        ({"expires": "yesterday"}, Invalid, "in the past"),
        ({"expires": "2001-01-01"}, Invalid, "in the past"),
        ({"expires": "never ever"}, Invalid, "not a date"),
        ({"hash": "short"}, Invalid, "hash"),
        ({"hash": "A" * 64}, Invalid, "hash"),
        ({"id": "x" * 36}, Invalid, "id"),
        ({"id": "-" * 36}, Invalid, "id|value"),
    ],
)
def test_invalid_token_is_not_created(ask: Ask, fields: dict[str, Any], error: type[Exception], sentence: str) -> None:
    good = {"id": new_id(), "hash": "a" * 64, "name": "cron", "scopes": ("all",)}
    with pytest.raises(error, match=sentence):
        ask(CreateToken(**(good | fields)))
    assert len(ask(ListTokens(all=True)).tokens) == 1


def test_scopes_of_all_requests_can_be_given(ask: Ask) -> None:
    from todo_cli.contract.registry import REQUESTS

    assert {request.scope for request in REQUESTS} <= {*SCOPES, "any", None}
    make(ask, scopes=tuple(SCOPES))
    assert set(ask(ListTokens()).tokens[1].scopes) == set(SCOPES)


def test_expiry_in_words_is_read_in_the_zone_of_the_caller(ask: Ask) -> None:
    make(ask, expires="2040-06-01")
    until = ask(ListTokens()).tokens[1].expires_at
    assert until is not None
    assert until.astimezone(UTC).isoformat() == "2040-06-01T21:59:59+00:00", "to the end of the asker's day"
