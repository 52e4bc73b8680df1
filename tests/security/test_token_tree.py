"""A token never outlives the token that created it, through both ways in and with psql."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from psycopg import errors

from tests.conftest import Database, Person, Todo
from tests.support.ask import Ask, AskAs
from tests.support.connections import signed
from tests.support.terminal import Terminal
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.tokens import CreateToken, ListTokens, RevokeToken, Token
from todo_cli.contract.users import WhoAmI
from todo_cli.errors import NotSignedIn


def create(ask: Ask, name: str, expires: str | None = None) -> tuple[Token, Secret]:
    """Create a token of all scopes."""
    secret = new_token(ask.who.user_id)
    request = CreateToken(id=new_id(), hash=token_hash(secret), name=name, scopes=("all",), expires=expires)
    return ask(request), secret


@pytest.mark.parametrize(
    ("own", "wanted", "days"),
    [("10d", None, 10), ("10d", "90d", 10), ("10d", "5d", 5), (None, "5d", 5), (None, None, None)],
)
def test_child_expires_no_later_than_its_parent(
    ask: Ask, ask_as: AskAs, own: str | None, wanted: str | None, days: int | None
) -> None:
    parent, secret = create(ask, "parent", own)
    child, _ = create(ask_as(ask.who, secret.reveal()), "child", wanted)
    assert child.parent == parent.id
    if days is None:
        assert child.expires_at is None
    else:
        assert child.expires_at is not None
        left = child.expires_at - datetime.now(UTC)
        assert timedelta(days=days - 1) < left <= timedelta(days=days + 1)
        assert parent.expires_at is None or child.expires_at <= parent.expires_at


def test_revoking_a_token_revokes_its_descendants_and_names_them(ask: Ask, ask_as: AskAs) -> None:
    _, laptop = create(ask, "laptop")
    _, script = create(ask_as(ask.who, laptop.reveal()), "script")
    _, job = create(ask_as(ask.who, script.reveal()), "job")
    create(ask, "other")
    assert ask(RevokeToken(name="laptop")).descendants == ("job", "script")
    for secret in (laptop, script, job):
        with pytest.raises(NotSignedIn, match="revoked"):
            ask_as(ask.who, secret.reveal())(WhoAmI())
    assert [token.name for token in ask(ListTokens()).tokens] == ["first", "other"]
    assert ask(RevokeToken(name="other")).descendants == ()


def test_psql_neither_chooses_a_parent_nor_outlives_or_spares_one(ask: Ask, ask_as: AskAs, db: Database) -> None:
    parent, secret = create(ask, "parent", "10d")
    with closing(signed(ask.who, token=secret.reveal())) as psql:
        columns = "INSERT INTO todo.tokens (user_id, id, name, hash, scopes, expires_at"
        values = f"'{ask.who.user_id}', gen_random_uuid(), 'child', sha256('child'), '{{all}}', 'infinity'"
        with pytest.raises(errors.InsufficientPrivilege):
            psql.execute(f"{columns}, parent) VALUES ({values}, NULL)".encode())
        psql.execute(f"{columns}) VALUES ({values})".encode())
        with pytest.raises(errors.InsufficientPrivilege):
            psql.execute("UPDATE todo.tokens SET parent = NULL")
        child = "SELECT parent::text, expires_at, revoked_at FROM todo.tokens WHERE user_id = %s AND name = 'child'"
        assert db.execute(child, ask.who.user_id) == [(parent.id, parent.expires_at, None)]
        psql.execute("UPDATE todo.tokens SET revoked_at = now() WHERE name = 'parent'")
    assert db.execute(child, ask.who.user_id)[0][2] is not None


def test_first_token_of_a_user_whom_an_administrator_adds_has_no_parent(db: Database) -> None:
    """Disabling or revoking the administrator's tokens leaves the users that were added."""
    admin = db.person(admin=True)
    with closing(signed(admin)) as psql:
        psql.execute(
            "SELECT todo.add_user(gen_random_uuid(), %s, false, gen_random_uuid(), sha256('x'), 'UTC')", [new_id()]
        )
    assert db.execute("SELECT count(*) FROM todo.tokens WHERE name = 'first' AND parent IS NOT NULL") == [(0,)]


def test_token_list_on_a_terminal_of_80_columns_is_a_tree(person: Person, as_person: Callable[..., Todo]) -> None:
    todo = as_person(person, "api")
    todo("prefs", "--dates", "absolute")
    secret = todo("token", "create", "--name", "laptop", "--scopes", "all").out.strip()
    env = {"TODO_TOKEN": secret}
    assert todo("token", "create", "--name", "cron", "--scopes", "read", env=env).code == 0
    assert (
        todo(
            "token", "create", "--name", "agent", "--scopes", "read,tasks:write", "--expires", "2099-01-02", env=env
        ).code
        == 0
    )
    screen = Terminal(todo, "token", "list", columns=80)
    screen.ended(0)
    lines = [
        re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-01-02 09:00", line.rstrip()) for line in screen.text.splitlines()
    ]
    assert [line for line in lines if line] == TOKEN_TREE.strip("\n").splitlines(), screen.text


TOKEN_TREE = """
Name       Scopes            Last used         Expires     State
first      all               2026-01-02 09:00  never       current
  laptop   all               2026-01-02 09:00  never
    cron   read              never             never
    agent  read,tasks:write  never             2099-01-02
"""
