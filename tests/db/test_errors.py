"""What Postgres says, provoked for real, and what is left on the connection afterwards: nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg

from tests.conftest import Database, Person, wait_for
from tests.support.connections import Line, raw
from todo_cli.contract.base import Request
from todo_cli.contract.journal import Undo
from todo_cli.contract.tasks import AddTask, CompleteTasks, EditTasks, ListTasks, ShowTask
from todo_cli.contract.users import AddUser, WhoAmI
from todo_cli.db.errors import STATES, TAKEN, ConnectionLost, translate_error, was_lost
from todo_cli.errors import (
    Bug,
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TodoError,
    Unavailable,
)

Lines = Callable[..., Line]


@pytest.fixture
def served(line: Lines, person: Person) -> Line:
    """A server's connection, and somebody to ask for."""
    return line(person, served=True)


def said(url: str, statement: str) -> TodoError:
    """What a statement comes to."""
    with closing(psycopg.connect(url, autocommit=True)) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    return translate_error(caught.value)


def blocked(db: Database, line: Line) -> bool:
    pid = line.connection.info.backend_pid
    return bool(db.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'", pid))


@pytest.fixture
def held(db: Database, person: Person) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else's open transaction that holds the person's space."""
    with psycopg.connect(db.owner_url) as connection:
        connection.execute("SELECT 1 FROM todo.spaces WHERE id = %s FOR UPDATE", [person.user_id])
        yield connection


def clean(line: Line) -> None:
    """No settings, no open transaction, and the next request is answered."""
    query = "SELECT coalesce(current_setting('app.token', true), '') || coalesce(current_setting('app.user', true), '')"

    async def look() -> tuple[Any, ...] | None:
        return await (await line.connection.execute(query)).fetchone()

    assert line.connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    assert line.runner.run(look()) == ("",)
    assert line(AddTask(title="after"), key=None).title == "after"


def test_statement_that_takes_too_long_raises_unavailable(served: Line, held: object) -> None:
    served.runner.run(served.connection.execute("SET statement_timeout = '100ms'"))
    with pytest.raises(Unavailable, match="took too long"):
        served(AddTask(title="x"))


def test_lock_that_takes_too_long_raises_unavailable(served: Line, held: psycopg.Connection[Any]) -> None:
    served.runner.run(served.connection.execute("SET lock_timeout = '100ms'"))
    with pytest.raises(Unavailable, match="another change"):
        served(AddTask(title="x"))
    held.rollback()
    clean(served)


def test_login_without_a_free_connection_raises_unavailable(db: Database, person: Person) -> None:
    login = f"todo_{person.user_id.replace('-', '')}"
    db.execute(f"ALTER ROLE {login} CONNECTION LIMIT 1")
    with (
        closing(raw(person.database_url)),
        pytest.raises(Unavailable, match=r"no connection left|too many connections"),
    ):
        Line(person.database_url, person)


def test_database_that_only_reads_raises_connection_lost(served: Line) -> None:
    served.runner.run(served.connection.execute("SET default_transaction_read_only = on"))
    with pytest.raises(
        ConnectionLost, match="only reads"
    ):  # a standby: the next connection may lead to the one that writes
        served(AddTask(title="x"))


def test_ended_session_raises_connection_lost(db: Database, served: Line) -> None:
    db.execute("SELECT pg_terminate_backend(%s)", served.connection.info.backend_pid)
    with pytest.raises(ConnectionLost):
        served(WhoAmI())
    assert served.connection.closed


def test_unknown_database_raises_unavailable(person: Person, db: Database) -> None:
    name = psycopg.conninfo.conninfo_to_dict(person.database_url)["dbname"]
    with pytest.raises(TodoError) as caught:
        Line(person.database_url.replace(f"/{name}", "/nowhere"), person)
    assert isinstance(caught.value, Unavailable), caught.value


def test_wrong_password_is_in_no_error(db: Database, person: Person) -> None:
    url = db.address(f"todo_{person.user_id.replace('-', '')}", "hunter2")
    with pytest.raises(TodoError) as caught:
        Line(url, person)
    assert "refused the login" in caught.value.detail
    assert "hunter2" not in f"{caught.value} {caught.value.hint} {caught.value.extra} {caught.value.__cause__}"


def test_deadlock_raises_unavailable(db: Database) -> None:
    one, two = db.person(), db.person()
    update = "UPDATE todo.spaces SET seq = seq + 1 WHERE id = %s"
    with closing(psycopg.connect(db.owner_url)) as first, closing(psycopg.connect(db.owner_url)) as second:
        second.execute("SET deadlock_timeout = '50ms'")
        first.execute(update, [one.user_id])
        second.execute(update, [two.user_id])

        async def cross() -> None:
            waiting = asyncio.create_task(asyncio.to_thread(first.execute, update, [two.user_id]))
            await asyncio.sleep(0.1)
            with pytest.raises(pg.DeadlockDetected) as caught:
                second.execute(update, [one.user_id])
            assert isinstance(translate_error(caught.value), Unavailable)
            second.rollback()
            await waiting

        asyncio.run(cross())


def test_serialization_failure_raises_unavailable(db: Database, person: Person) -> None:
    with closing(psycopg.connect(db.owner_url)) as connection:
        connection.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        connection.execute("SELECT seq FROM todo.spaces WHERE id = %s", [person.user_id])
        db.execute("UPDATE todo.spaces SET seq = seq + 1 WHERE id = %s", person.user_id)
        with pytest.raises(pg.SerializationFailure) as caught:
            connection.execute("UPDATE todo.spaces SET seq = seq + 1 WHERE id = %s", [person.user_id])
    assert isinstance(translate_error(caught.value), Unavailable)
    assert "another change" in translate_error(caught.value).detail


@pytest.mark.parametrize(
    ("statement", "kind", "words"),
    [
        ("SELECT * FROM todo.buckets", NotAllowed, "does not allow"),
        ("SELECT * FROM nowhere.nothing", Unavailable, "not set up"),
        ("SELECT todo.nothing()", Unavailable, "not set up"),
        ("SELECT 1 FROM todo.nothing", Unavailable, "not set up"),
        ("SELECT convert_from('\\x00', 'UTF8')", Invalid, "NUL"),
        ("SELECT 99999999999::int", Invalid, "out of range"),
        ("SELECT '{\"a\": \"\\u0000\"}'::jsonb ->> 'a'", Invalid, "NUL"),
        ("SELECT 'x'::uuid", Invalid, "out of range"),
        ("SELECT nothing_of_ours", Bug, "42703"),
    ],
)
def test_error_of_postgres_raises_the_error_of_the_table(
    person: Person, statement: str, kind: type[TodoError], words: str
) -> None:
    error = said(person.database_url, statement)
    assert isinstance(error, kind), error
    assert words in error.detail


@pytest.mark.parametrize("state", [state for state in STATES if len(state) == 5])
def test_states_of_the_table_are_those_of_postgres(state: str) -> None:
    error = psycopg.errors.lookup(state)("x")
    assert type(translate_error(error)) is STATES[state][0]
    assert translate_error(error).detail == STATES[state][1]


@pytest.mark.parametrize(
    ("state", "lost"),
    [
        ("08006", True),
        ("57P01", True),
        ("57P03", True),
        ("25006", True),
        ("57014", False),
        ("55P03", False),
        ("53300", False),
        ("23505", False),
    ],
)
def test_lost_connection_is_told_from_other_errors(state: str, lost: bool) -> None:
    assert was_lost(psycopg.errors.lookup(state)("x")) is lost


def test_names_that_are_taken(db: Database, line: Lines) -> None:
    for constraint in TAKEN:
        query = """SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = 'todo' AND c.relkind = 'i' AND c.relname = %s"""
        assert db.execute(query, constraint), f"there is no {constraint} to be told apart"
    boss = db.person(admin=True)
    request = AddUser(id=db.person().user_id, name=boss.name, token_id=boss.user_id, token_hash="0" * 64)
    with pytest.raises(Conflict, match="already"):
        line(boss)(request)


REFUSALS: tuple[tuple[str, Callable[[Line], object], type[TodoError]], ...] = (
    ("bad token", lambda line: line(AddTask(title="x"), token=line.who.token + "x"), NotSignedIn),
    ("no such space", lambda line: line(AddTask(title="x"), space="01890000-0000-7000-8000-000000000000"), NotAllowed),
    ("no such task", lambda line: line(CompleteTasks(numbers=(10**9,))), NotFound),
    ("none to show", lambda line: line(ShowTask(number=10**9)), NotFound),
    ("nothing to undo", lambda line: line(Undo(id=10**9)), NotFound),
    ("a value out of range", lambda line: line(EditTasks(numbers=(2**63 - 1,), title="x")), NotFound),
)


@pytest.mark.parametrize(("name", "refused", "kind"), REFUSALS, ids=[name for name, *_ in REFUSALS])
def test_connection_after_an_error_is_clean(
    served: Line, name: str, refused: Callable[[Line], object], kind: type[TodoError]
) -> None:
    for _ in range(3):
        with pytest.raises(kind):
            refused(served)
        clean(served)


def test_many_refusals_do_not_spoil_a_connection(served: Line) -> None:
    """psycopg counts how often a statement is used; when that ended in an aborted pipeline, all after it failed."""
    requests: tuple[Request[Any], ...] = (AddTask(title="x"), ListTasks(), Undo(), CompleteTasks(numbers=(1,)))
    for request in requests:
        for _ in range(8):
            with pytest.raises(NotSignedIn):
                served(request, token=served.who.token + "x")
    clean(served)
    for _ in range(8):
        assert served(WhoAmI()).name == served.who.name
        assert served(Undo(id=served(AddTask(title="y")).rev)).seq
        with pytest.raises(NotFound):
            served(ShowTask(number=10**9))
    clean(served)


def test_giving_up_while_another_holds_the_space(db: Database, served: Line, held: psycopg.Connection[Any]) -> None:
    for request in (AddTask(title="never"), Undo()):

        async def give_up(request: Any = request) -> None:
            task = asyncio.ensure_future(served.send(request))
            await asyncio.to_thread(wait_for, lambda: blocked(db, served))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        served.runner.run(give_up())
        wait_for(lambda: not blocked(db, served))
    held.rollback()
    clean(served)
    assert [task.title for task in served(ListTasks()).tasks] == ["after"]
