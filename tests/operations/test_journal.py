"""The journal through both ways in: every write is one row, none has a secret in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from tests.conftest import Database
from tests.operations.test_idempotency import shared_space
from tests.support.ask import Ask, AskAs
from todo_cli.contract.base import Request
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Change, ListChanges, Redo, Undo
from todo_cli.contract.preferences import SetPreferences
from todo_cli.contract.spaces import ListSpaces
from todo_cli.contract.tasks import (
    AddTask,
    AddTasks,
    CompleteTasks,
    EditTasks,
    ListTasks,
    NewTask,
    ReopenTasks,
    ShowTask,
)
from todo_cli.contract.tokens import CreateToken, ListTokens, RevokeToken
from todo_cli.contract.trash import DeleteTasks, RestoreTasks
from todo_cli.contract.users import AddUser, DisableUser, ListUsers, WhoAmI
from todo_cli.errors import Invalid, NotFound, TodoError


def all_writes(name: str = "new", secret: str = "f" * 64) -> tuple[Request[Any], ...]:
    """One of every kind that changes something, in an order in which each can."""
    return (
        AddTask(title="a"),
        AddTasks(tasks=(NewTask(title="b"), NewTask(title="c"))),
        CompleteTasks(numbers=(1,)),
        ReopenTasks(numbers=(1,)),
        EditTasks(numbers=(1, 2), project="p"),
        DeleteTasks(numbers=(3,)),
        RestoreTasks(numbers=(3,)),
        Undo(),
        Redo(),
        CreateToken(id=new_id(), hash=secret, name="cron", scopes=("all",)),
        RevokeToken(name="cron"),
        AddUser(id=new_id(), name=name, token_id=new_id(), token_hash=secret),
        DisableUser(name=name),
        DisableUser(name=name, disabled=False),
        SetPreferences(timezone="Asia/Tokyo"),
    )


def changes(ask: Ask, **filters: Any) -> tuple[Change, ...]:
    """The journal, newest first."""
    return ask(ListChanges(**{"limit": 1_000} | filters)).changes


def test_every_write_is_one_row_with_who_when_which_way_and_what(db: Database, ask_as: AskAs) -> None:
    ask = ask_as(db.person(admin=True))
    writes = all_writes(name=f"{ask.who.name}-new")
    start = datetime.now(UTC) - timedelta(seconds=5)
    for number, request in enumerate(writes, 1):
        ask(request, key=f"key-{number}")
        found = changes(ask)
        assert len(found) == number, request
        assert found[0].seq == number
    rows = list(reversed(found))
    assert [row.verb for row in rows] == [request.verb for request in writes]
    assert {(row.user, row.token, row.way) for row in rows} == {
        (ask.who.name, "first", "direct" if ask.way == "direct" else "api")
    }
    assert [row.key for row in rows] == [f"key-{number}" for number in range(1, len(writes) + 1)]
    assert [row.tasks for row in rows] == [1, 2, 1, 1, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert all(start < row.at < datetime.now(UTC) + timedelta(seconds=5) for row in rows)
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert [row.about for row in rows][9:] == ["cron", "cron", *[f"{ask.who.name}-new"] * 3, None]
    assert [(row.undoes, row.undone) for row in rows[6:9]] == [(None, False), (7, False), (7, False)]


def test_looking_and_being_refused_leave_no_row_and_no_hole(ask: Ask) -> None:
    ask.add("a")
    for request in (
        ListTasks(),
        ShowTask(number=1),
        ListChanges(),
        ListTokens(),
        WhoAmI(),
        ListSpaces(),
        Undo(dry_run=True),
    ):
        ask(request)  # type: ignore[arg-type]
    refused: tuple[Request[Any], ...] = (
        CompleteTasks(numbers=(1, 9)),
        EditTasks(numbers=(1,)),
        EditTasks(numbers=(1,), title="b", if_rev=7),
        Undo(id=99),
        Redo(),
        AddTask(title=" "),
        RevokeToken(name="none"),
        CreateToken(id=new_id(), hash="a" * 64, name="x", scopes=("nonsense",)),
        AddUser(id=new_id(), name="x", token_id=new_id(), token_hash="a" * 64),
        ListUsers(),
        DisableUser(name="x"),
    )
    for request in refused:
        with pytest.raises(TodoError):
            ask(request)
    ask.add("b")
    assert [row.seq for row in changes(ask)] == [2, 1]
    assert ask.show(2).rev == 2


def test_log_of_a_change_lists_its_fields(ask: Ask) -> None:
    ask.add("a", tags=("x",), due="2030-01-02", note="n")
    ask(EditTasks(numbers=(1,), title="b", tags=("y",), due=None, priority=1))
    ask(CompleteTasks(numbers=(1,)))
    done, edited, added = [row.differences[0] for row in changes(ask)]
    assert (added.added, added.title) == (True, "a")
    assert added.fields == {"due": (None, "2030-01-02"), "tags": (None, ["x"]), "note": (None, "n")}
    assert (edited.added, edited.title) == (False, "b")
    assert edited.fields == {
        "title": ("a", "b"),
        "due": ("2030-01-02", None),
        "tags": (["x"], ["y"]),
        "priority": (None, 1),
    }
    assert done.fields == {"status": ("open", "done")}


def test_one_tasks_history_has_its_changes_only(ask: Ask) -> None:
    ask(AddTasks(tasks=tuple(NewTask(title=str(i)) for i in range(30))))
    ask.add("other")
    ask(EditTasks(numbers=tuple(range(20, 31)), project="p"))
    ask(CompleteTasks(numbers=(5, 25)))
    ask(CompleteTasks(numbers=(5,)))
    ask(Undo())
    found = changes(ask, number=25)
    assert [(row.seq, row.verb) for row in found] == [
        (6, "Undo"),
        (4, "CompleteTasks"),
        (3, "EditTasks"),
        (1, "AddTasks"),
    ]
    assert [[one.number for one in row.differences] for row in found] == [[25]] * 4
    assert [row.tasks for row in found] == [2, 2, 11, 30]
    assert [row.undone for row in found] == [False, True, False, False]
    with pytest.raises(NotFound, match="task #99 does not exist"):
        changes(ask, number=99)
    whole = changes(ask)
    assert [len(row.differences) for row in whole] == [2, 0, 2, 10, 1, 10], "ten are told one by one"


def test_pages_of_the_journal(ask: Ask) -> None:
    for title in "abcdefg":
        ask.add(title)
    ask(EditTasks(numbers=(1,), title="A"))
    first = ask(ListChanges(limit=3))
    assert ([row.seq for row in first.changes], first.next) == ([8, 7, 6], 6)
    ask.add("meanwhile")
    second = ask(ListChanges(limit=3, before=first.next))
    assert ([row.seq for row in second.changes], second.next) == ([5, 4, 3], 3)
    last = ask(ListChanges(limit=3, before=second.next))
    assert ([row.seq for row in last.changes], last.next) == ([2, 1], None)
    of_one = ask(ListChanges(number=1, limit=1))
    assert ([row.seq for row in of_one.changes], of_one.next) == ([8], 8)
    assert [row.seq for row in changes(ask, number=1, before=8)] == [1]
    for bad in ({"limit": 0}, {"limit": 1_001}, {"before": 0}, {"number": 0}):
        with pytest.raises(Invalid):
            ask(ListChanges(**bad))


def test_log_of_a_shared_space_names_users_but_not_their_tokens(db: Database, ask_as: AskAs) -> None:
    ada, grace = db.person(), db.person()
    space = shared_space(db, ada, grace)
    ask_as(ada, space=space).add("a")
    ask_as(grace, space=space)(CompleteTasks(numbers=(1,)))
    rows = changes(ask_as(ada, space=space))
    assert [(row.seq, row.user, row.token, row.verb) for row in rows] == [
        (2, grace.name, "", "CompleteTasks"),
        (1, ada.name, "first", "AddTask"),
    ]
    assert changes(ask_as(ada)) == ()


def test_no_row_has_a_secret_in_it(fresh_db: Database, make_server: Any, ask_as: AskAs, way: str) -> None:
    who = fresh_db.person(admin=True)
    ask = ask_as(who, server=make_server(fresh_db).url if way == "api" else None)
    minted = sha256(b"minted").hexdigest()
    for request in all_writes(secret=minted):
        ask(request)
    password = who.database_url.partition("://")[2].partition("@")[0].partition(":")[2]
    own = sha256(who.token.encode()).hexdigest()
    [(text,)] = fresh_db.execute("SELECT string_agg(row_to_json(c)::text, E'\n') FROM todo.changes c")
    assert len(text.splitlines()) == len(all_writes())
    for secret in (who.token, who.token.split("_", 2)[2], own, minted, password):
        assert len(secret) >= 32
        assert secret not in text
    assert minted[:16] not in text
