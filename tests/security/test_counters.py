"""A member with psql cannot spoil the counters of a space, and what its locks cost the others is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from tests.conftest import Database, Person, wait_for
from tests.support.connections import Line, Raw, share, signed
from todo_cli.contract.conversations import ListConversations
from todo_cli.contract.tasks import AddTask, EditTasks
from todo_cli.db.policies import MAX_CONNECTIONS_PER_LOGIN
from todo_cli.db.schema_version import SCHEMA_VERSION

LARGEST = 2**63 - 1
TASK = """INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)
  SELECT %s, n, gen_random_uuid(), 'x', now(), now(), 1 FROM unnest(%s::bigint[]) AS n"""
CHANGE = """INSERT INTO todo.changes (space_id, seq, request_hash, verb, request)
  SELECT %s, n, '', 'x', '{}' FROM unnest(%s::bigint[]) AS n"""


class Shared(NamedTuple):
    """A space of its owner, who has two tasks in it, and an editor with psql."""

    db: Database
    owner: Person
    editor: Person
    psql: Raw

    @property
    def space(self) -> str:
        return self.owner.user_id

    def counters(self) -> tuple[int, int, int]:
        rows = self.db.execute("SELECT seq, next_number, next_conversation FROM todo.spaces WHERE id = %s", self.space)
        return rows[0][0], rows[0][1], rows[0][2]


@pytest.fixture
def shared(db: Database) -> Iterator[Shared]:
    owner, editor = db.person(), db.person()
    share(db, owner.user_id, editor, "editor")
    with closing(Line(owner.database_url, owner)) as line:
        line(AddTask(title="first"))
        line(AddTask(title="second"))
    with closing(signed(editor, space=owner.user_id)) as psql:
        yield Shared(db, owner, editor, psql)


@pytest.mark.parametrize("column", ["seq", "next_number", "next_conversation", "name", "id"])
def test_no_client_updates_or_locks_a_row_of_spaces(shared: Shared, column: str) -> None:
    for statement in (
        f"UPDATE todo.spaces SET {column} = {column}",
        "SELECT id FROM todo.spaces FOR UPDATE",
        "SELECT id FROM todo.spaces FOR NO KEY UPDATE",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            shared.psql.execute(statement)


@pytest.mark.parametrize(
    ("statement", "numbers"),
    [
        (TASK, [4]),
        (TASK, [LARGEST]),
        (TASK, [3, 5]),
        (TASK, [0]),
        (TASK, [-5]),
        (CHANGE, [4]),
        (CHANGE, [LARGEST]),
        (CHANGE, [3, 5]),
        (CHANGE, [0]),
    ],
)
def test_number_that_does_not_follow_the_counter_is_refused(shared: Shared, statement: str, numbers: list[int]) -> None:
    with pytest.raises(errors.CheckViolation):
        shared.psql.execute(statement, [shared.space, numbers])
    assert shared.counters() == (2, 3, 1)


def test_rows_inserted_with_psql_advance_the_counters_and_others_go_on_behind_them(shared: Shared) -> None:
    shared.psql.execute(TASK, [shared.space, [4, 3]])
    shared.psql.execute(CHANGE, [shared.space, [3]])
    conversation = "INSERT INTO todo.conversations (space_id, id, title) VALUES (%s, %s, 'x')"
    shared.psql.execute(conversation, [shared.space, uuid4()])
    assert shared.counters() == (3, 5, 2)
    with closing(Line(shared.db.server_url, shared.owner)) as line:
        added = line(AddTask(title="third"))
        assert (added.number, line(EditTasks(numbers=(1,), title="y")).seq) == (5, 5)
        assert line(ListConversations()).conversations == ()
    assert shared.counters() == (5, 6, 2)


def test_conversation_takes_no_number_of_the_callers_choice(shared: Shared) -> None:
    statement = "INSERT INTO todo.conversations (space_id, id, number, title) VALUES (%s, %s, %s, 'x')"
    with pytest.raises(errors.InsufficientPrivilege):
        shared.psql.execute(statement, [shared.space, uuid4(), LARGEST])


HOLDS = {
    "the space": "SELECT todo.enter(%(schema)s, %(token)s, %(user)s, %(space)s, 'tasks:write', true, 'x')",
    "the space by a row": TASK.replace("%s, n", "%(space)s, n").replace("%s::bigint[]", "'{3}'::bigint[]"),
}


@pytest.mark.parametrize("statement", HOLDS.values(), ids=HOLDS)
def test_idle_transaction_that_holds_a_space_is_ended_by_the_next_writer(shared: Shared, statement: str) -> None:
    """The holder has lifted every limit that a login may lift for itself."""
    holder = shared.psql
    for name in ("idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout"):
        holder.execute(f"SET {name} = 0")
        holder.execute(f"ALTER ROLE CURRENT_USER SET {name} = 0")
    values = {
        "schema": SCHEMA_VERSION,
        "token": shared.editor.token,
        "user": shared.editor.user_id,
        "space": shared.space,
    }
    holder.autocommit = False
    holder.execute(statement, values)
    pid = holder.info.backend_pid
    idle = "SELECT state_change < clock_timestamp() - interval '5 seconds' FROM pg_stat_activity WHERE pid = %s"
    wait_for(lambda: shared.db.execute(idle, pid) == [(True,)])
    with closing(Line(shared.db.server_url, shared.owner)) as line:
        assert line(AddTask(title="third")).number == 3
    with pytest.raises(psycopg.OperationalError):
        holder.execute("SELECT 1")


def test_idle_transaction_that_holds_a_task_is_ended_by_the_sign_in_of_anybody(shared: Shared) -> None:
    """Sign-ins look for such sessions once a minute and token."""
    holder = shared.psql
    holder.autocommit = False
    holder.execute("SELECT title FROM todo.tasks FOR UPDATE")
    pid = holder.info.backend_pid
    ended = "SELECT todo.end_idle_sessions('0 seconds')"
    shared.db.execute(ended)
    wait_for(lambda: shared.db.execute("SELECT FROM pg_stat_activity WHERE pid = %s", pid) == [])


def test_session_of_a_service_or_the_owner_or_without_locks_is_not_ended(shared: Shared) -> None:
    with (
        closing(psycopg.connect(shared.db.server_url)) as server,
        closing(psycopg.connect(shared.db.owner_url)) as owner,
        closing(psycopg.connect(shared.editor.database_url)) as reader,
    ):
        server.execute("SELECT pg_current_xact_id()")
        owner.execute("SELECT pg_current_xact_id()")
        reader.execute("SELECT 1")
        shared.db.execute("SELECT todo.end_idle_sessions('0 seconds')")
        for connection in (server, owner, reader):
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_direct_login_has_a_limited_number_of_connections(shared: Shared) -> None:
    opened = [psycopg.connect(shared.editor.database_url) for _ in range(MAX_CONNECTIONS_PER_LOGIN - 1)]
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(shared.editor.database_url)
        with pytest.raises(errors.InsufficientPrivilege):
            shared.psql.execute("ALTER ROLE CURRENT_USER CONNECTION LIMIT -1")
        with closing(Line(shared.owner.database_url, shared.owner)) as line:
            assert line(AddTask(title="x")).number == 3
    finally:
        for connection in opened:
            connection.close()
