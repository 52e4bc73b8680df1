"""A user's own account: its export has every row, and its deletion leaves nothing of the user."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from tests.support.limited_tokens import create_limited_token
from todo_cli.contract.accounts import AccountRow, DeleteAccount, ExportAccount
from todo_cli.contract.channels import AddChannel
from todo_cli.contract.comments import AddComment
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import ShowTask
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotSignedIn

MARK = "wallcreeper"


def export(ask: Ask, limit: int) -> list[AccountRow]:
    """Return the rows of all pages."""
    rows: list[AccountRow] = []
    after = None
    while not rows or after:
        page = ask(ExportAccount(after=after, limit=limit))
        assert len(page.rows) <= limit
        rows += page.rows
        after = page.next
    return rows


def share(db: Database, *users: tuple[str, str]) -> str:
    """Return a new space with members of these roles."""
    space = new_id()
    db.execute("INSERT INTO todo.spaces (id, name) VALUES (%s, 'home')", space)
    for user, role in users:
        db.execute("INSERT INTO todo.members VALUES (%s, %s, %s)", space, user, role)
    return space


def test_export_has_each_row_once_whatever_the_pages(ask: Ask, ask_as: AskAs, db: Database) -> None:
    ask.add_all(*(f"{MARK} {number}" for number in range(9)))
    ask(AddComment(number=1, id=new_id(), text=MARK))
    ask(
        AddChannel(
            name="hook", kind="webhook", target="https://example.org/secretpath", secret="whsec_0123456789secretkey"
        )
    )
    friend = db.person()
    space = share(db, (ask.who.user_id, "editor"), (friend.user_id, "owner"))
    common = ask_as(friend, space=space).add("theirs")
    ask_as(ask.who, space=space)(AddComment(number=common.number, id=new_id(), text="mine in a shared space"))
    rows = export(ask, 500)
    assert export(ask, 1) == export(ask, 7) == rows
    tables = [row.table for row in rows]
    assert (tables.count("tasks"), tables.count("comments"), tables.count("users")) == (9, 2, 1)
    text = json.dumps([row.row for row in rows])
    assert "mine in a shared space" in text
    for hidden in ("secretpath", "secretkey", "theirs", ask.who.token):
        assert hidden not in text
    with pytest.raises(Invalid, match="does not belong to an export"):
        ask(ExportAccount(after="{}"))


def test_deleted_account_leaves_nothing_and_the_shared_space_works(ask: Ask, ask_as: AskAs, db: Database) -> None:
    mark = f"{MARK}{new_id()[-6:]}"
    ask.add(mark)
    friend = db.person()
    space = share(db, (ask.who.user_id, "owner"), (friend.user_id, "owner"))
    mine, theirs = ask_as(ask.who, space=space), ask_as(friend, space=space)
    number = mine.add("Paint the fence").number
    mine(AddComment(number=number, id=new_id(), text=mark))
    with pytest.raises(Invalid, match="nothing was deleted"):
        ask(DeleteAccount(name="another"))
    deleted = ask(DeleteAccount(name=ask.who.name))
    assert deleted.rows["tasks"] == 1
    with pytest.raises(NotSignedIn):
        ask(ShowTask(number=1))
    shown = theirs(ShowTask(number=number))
    assert (shown.title, shown.comments[0].text) == ("Paint the fence", "The author of this comment has been erased.")
    left = "SELECT count(*) FROM todo.{} t WHERE t::text LIKE %s"
    for (table,) in db.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'todo'::regnamespace AND relkind = 'r'"
    ):
        for word in (mark, ask.who.name):
            assert db.execute(left.format(table), f"%{word}%") == [(0,)], (table, word)


def test_account_that_others_need_is_not_deleted(ask: Ask, ask_as: AskAs, db: Database) -> None:
    friend = db.person()
    space = share(db, (ask.who.user_id, "owner"), (friend.user_id, "editor"))
    with pytest.raises(Conflict, match="only owner of spaces that others use: home"):
        ask(DeleteAccount(name=ask.who.name))
    db.execute("UPDATE todo.members SET role = 'owner' WHERE space_id = %s", space)
    others = db.execute("SELECT id FROM todo.users WHERE admin AND id <> %s", ask.who.user_id)
    db.execute("UPDATE todo.users SET admin = (id = %s)", ask.who.user_id)
    try:
        with pytest.raises(Conflict, match="only administrator"):
            ask(DeleteAccount(name=ask.who.name))
    finally:
        db.execute("UPDATE todo.users SET admin = (id = ANY (%s))", [user for (user,) in others])
    assert ask(DeleteAccount(name=ask.who.name)).name == ask.who.name


@pytest.mark.parametrize("way", ["api"])
@pytest.mark.parametrize("request_", [ExportAccount(), DeleteAccount(name="x")])
def test_narrow_token_neither_exports_nor_deletes(ask: Ask, ask_as: AskAs, request_: Any) -> None:
    agent = ask_as(ask.who, create_limited_token(ask, scopes=("read", "tasks:write", "tokens:write", "chat")))
    with pytest.raises(NotAllowed, match="lacks the scope all"):
        agent(request_)
