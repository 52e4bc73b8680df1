"""Two users with logins of their own and psql: neither reads, changes or disturbs the rows of the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest
from psycopg import sql

from tests.conftest import Database
from tests.support.connections import Line, Raw, raw, signed
from tests.support.neighbours import REFUSED, Neighbours, insert_task, list_identities, make_neighbours
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.tasks import AddTask

TABLES = (
    "schema",
    "users",
    "spaces",
    "members",
    "tokens",
    "preferences",
    "tasks",
    "task_tags",
    "changes",
    "buckets",
    "recent_requests",
    "failures",
    "alembic_version",
    "comments",
    "task_sources",
    "words",
    "links",
    "views",
    "plans",
    "conversations",
    "turns",
    "messages",
    "events",
    "usage",
    "passwords",
    "invitations",
    "devices",
    "attempts",
)
CLOSED = {
    "users",
    "words",
    "buckets",
    "recent_requests",
    "failures",
    "alembic_version",
    "passwords",
    "invitations",
    "devices",
    "attempts",
}


@pytest.fixture(scope="module")
def neighbours(db: Database) -> Neighbours:
    return make_neighbours(db)


@pytest.fixture
def psql(neighbours: Neighbours) -> Iterator[Raw]:
    """Alice's own login with her own token set."""
    with closing(signed(neighbours.alice)) as connection:
        yield connection


def list_readable_columns(connection: Raw, table: str) -> list[str]:
    query = """SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
      AND has_column_privilege(attrelid, attnum, 'SELECT')"""
    return [row[0] for row in connection.execute(query, [f"todo.{table}"])]


def test_attacked_rows_are_readable_to_their_owner(neighbours: Neighbours) -> None:
    with closing(signed(neighbours.bob)) as connection:
        assert len(connection.execute("SELECT title FROM todo.tasks").fetchall()) == 1
        assert len(connection.execute("SELECT key FROM todo.changes").fetchall()) == 3


@pytest.mark.parametrize("served", [False, True], ids=["own login", "the servers' login"])
def test_rows_of_another_user_with_any_claimed_identity_are_not_read(neighbours: Neighbours, served: bool) -> None:
    for name, settings in list_identities(neighbours).items():
        if served and name == "his own token":
            continue  # it signs in as Bob
        given = {
            "token": neighbours.alice.token,
            "user": neighbours.alice.user_id,
            "space": neighbours.alice.user_id,
        } | settings
        url = neighbours.db.server_url if served else neighbours.alice.database_url
        with closing(raw(url, **given)) as connection:
            for table in TABLES:
                columns = list_readable_columns(connection, table)
                assert bool(columns) is (table not in CLOSED), table
                if not columns:
                    with pytest.raises(REFUSED):
                        connection.execute(sql.SQL("SELECT FROM todo.{}").format(sql.Identifier(table)))
                    continue
                every = sql.SQL("SELECT {} FROM todo.{}").format(
                    sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
                )
                found = str(connection.execute(every).fetchall())
                assert not [secret for secret in neighbours.secrets if secret in found], (name, table)
            for function in ("space_members()", "user_spaces()"):
                found = str(connection.execute(f"SELECT * FROM todo.{function}").fetchall())
                assert not [secret for secret in neighbours.secrets if secret in found], (name, function)


def test_server_login_without_a_token_sees_nothing(neighbours: Neighbours) -> None:
    with closing(raw(neighbours.db.server_url)) as connection:
        for table in set(TABLES) - CLOSED - {"schema", "tokens"}:
            assert connection.execute(f"SELECT count(*) FROM todo.{table}").fetchone() == (0,)
        assert connection.execute("SELECT count(id) FROM todo.tokens").fetchone() == (0,)
        with pytest.raises(REFUSED):
            connection.execute(
                "INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)"
                " VALUES (%s, 9, gen_random_uuid(), 'x', now(), now(), 1)",
                [neighbours.bob.user_id],
            )


def test_rows_of_another_user_by_exact_ids_are_not_found(psql: Raw, neighbours: Neighbours) -> None:
    bob = neighbours.bob.user_id
    for query in (
        "SELECT title FROM todo.tasks WHERE space_id = %s AND number = 1",
        "SELECT tag FROM todo.task_tags WHERE space_id = %s AND number = 1",
        "SELECT request FROM todo.changes WHERE space_id = %s AND seq = 1",
        "SELECT name FROM todo.spaces WHERE id = %s",
        "SELECT role FROM todo.members WHERE space_id = %s",
        "SELECT name FROM todo.tokens WHERE user_id = %s",
        "SELECT timezone FROM todo.preferences WHERE user_id = %s",
        "SELECT name FROM todo.space_members() WHERE id = %s",
    ):
        assert psql.execute(query, [bob]).fetchall() == [], query


def test_write_into_another_space_is_refused_whether_it_exists_or_not(psql: Raw, neighbours: Neighbours) -> None:
    """A space that is there and one that is not are refused alike, before any unique or foreign key is looked at."""
    for space in (neighbours.bob.user_id, str(uuid4())):
        for statement, values in (
            insert_task(space),
            (
                "INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev) VALUES"
                " (%s, 1, gen_random_uuid(), 'x', now(), now(), 1) ON CONFLICT DO NOTHING",
                [space],
            ),
            ("INSERT INTO todo.task_tags VALUES (%s, 1, 'bobtag')", [space]),
            (
                "INSERT INTO todo.changes (space_id, seq, request_hash, verb, request) VALUES (%s, 1, '', 'x', '{}')",
                [space],
            ),
            (
                "INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES (%s, gen_random_uuid(), 'x',"
                " decode(repeat('b0', 32), 'hex'), '{all}')",
                [space],
            ),
            ("INSERT INTO todo.preferences VALUES (%s, 'UTC')", [space]),
        ):
            with pytest.raises(REFUSED, match="row-level security"):
                psql.execute(statement, values)
    bob = [neighbours.bob.user_id]
    assert psql.execute("UPDATE todo.tasks SET title = 'x' WHERE space_id = %s", bob).rowcount == 0
    assert psql.execute("UPDATE todo.tokens SET revoked_at = now() WHERE user_id = %s", bob).rowcount == 0
    assert psql.execute("UPDATE todo.preferences SET timezone = NULL WHERE user_id = %s", bob).rowcount == 0
    psql.execute("SELECT todo.remove_tags('{1}', '{bobtag}')")
    assert neighbours.db.execute("SELECT count(*) FROM todo.task_tags WHERE space_id = %s", *bob) == [(1,)]


def test_failing_expression_meets_own_rows_only(psql: Raw) -> None:
    """She has no task: whatever is raised would have been raised by one of somebody else's."""
    for name in ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan", "enable_seqscan"):
        psql.execute(f"SET {name} = off")
        for expression in (
            "title::int",
            "1 / (number - number)",
            "note::uuid",
            "(title || '')::date",
            "project::json",
            "to_number(title, '9')",
            "pg_input_is_valid(title, 'nothing')",
        ):
            if "pg_input" in expression and psql.info.server_version < 160000:
                continue
            found = psql.execute(f"SELECT number FROM todo.tasks WHERE {expression} IS NOT NULL")
            assert found.fetchall() == [], expression
        psql.execute(f"SET {name} = on")
    psql.execute(
        "DO $$ DECLARE t record; BEGIN FOR t IN SELECT * FROM todo.tasks WHERE title::int > 0 LOOP"
        " RAISE EXCEPTION '%', t; END LOOP; END $$"
    )


PROBES = (
    "tasks WHERE space_id = '{bob}' AND project = 'bobproject'",
    "tasks WHERE space_id BETWEEN '{bob}' AND '{bob}' AND project >= 'b' AND project < 'c'",
    "tasks WHERE space_id = '{bob}' AND status = 'done'",
    "tasks WHERE space_id = '{bob}' AND id > '00000000-0000-0000-0000-000000000000'",
    "task_tags WHERE space_id = '{bob}' AND tag = 'bobtag'",
    "changes WHERE space_id = '{bob}' AND user_id = '{bob}' AND key = 'bobkey'",
    "tokens WHERE user_id = '{bob}' AND name = 'bobtoken'",
    "members WHERE space_id = '{bob}'",
    "members WHERE user_id = '{bob}'",
    "spaces WHERE id = '{bob}'",
    "preferences WHERE user_id = '{bob}'",
)


@pytest.mark.parametrize("probe", PROBES)
def test_explain_counts_no_rows_of_another_user(psql: Raw, neighbours: Neighbours, probe: str) -> None:
    """An index that a policy does not narrow would count the rows that the policy removed: an oracle for any content."""
    psql.execute("SET enable_seqscan = off")
    # her own rows may be counted, whichever index is taken: but no more than when she asks for nobody's
    assert _removed(psql, probe, neighbours.bob.user_id) == _removed(psql, probe, str(uuid4()))


def _removed(psql: Raw, probe: str, bob: str) -> list[str]:
    query = f"EXPLAIN (ANALYZE, BUFFERS OFF, FORMAT JSON) SELECT FROM todo.{probe.format(bob=bob)}"
    row = psql.execute(query).fetchone()
    assert row is not None
    return re.findall(r"'(?:Rows Removed by Filter|Actual Rows)': [\d.]+", str(row[0]))


def test_statistics_and_other_sessions_are_not_accessible(psql: Raw, neighbours: Neighbours) -> None:
    neighbours.db.execute("ANALYZE todo.tasks")
    assert psql.execute("SELECT * FROM pg_stats WHERE schemaname = 'todo'").fetchall() == []
    assert psql.execute("SELECT * FROM pg_stats_ext WHERE schemaname = 'todo'").fetchall() == []
    with closing(signed(neighbours.bob)) as his, closing(raw(neighbours.db.server_url)) as server:
        his.execute("SELECT 'bobquery'")
        server.execute("SELECT 'serverquery'")
        queries = str(psql.execute("SELECT query, application_name FROM pg_stat_activity").fetchall())
        assert "bobquery" not in queries
        assert "serverquery" not in queries
        for victim in (his, server):
            for way in ("pg_terminate_backend", "pg_cancel_backend", "pg_log_backend_memory_contexts"):
                with pytest.raises(REFUSED):
                    psql.execute(f"SELECT {way}(%s)", [victim.info.backend_pid])
            assert victim.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("table", TABLES)
def test_lock_of_a_whole_table_is_refused(psql: Raw, table: str) -> None:
    for mode in ("SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"):
        with pytest.raises(REFUSED), psql.transaction():
            psql.execute(f"LOCK TABLE todo.{table} IN {mode} MODE NOWAIT")


def test_notifications_are_allowed_and_large_objects_are_not(psql: Raw) -> None:
    psql.execute("NOTIFY whatever, 'x'")
    for statement in ("SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')"):
        with pytest.raises(REFUSED):
            psql.execute(statement)


def test_row_security_off_is_an_error(psql: Raw) -> None:
    psql.execute("SET row_security = off")
    for table in ("tasks", "changes", "spaces", "members"):
        with pytest.raises(REFUSED):
            psql.execute(f"SELECT count(*) FROM todo.{table}")


def test_search_path_does_not_reach_the_definer_functions(psql: Raw, neighbours: Neighbours) -> None:
    psql.execute("SET search_path = pg_temp, todo, public")
    psql.execute("SELECT set_config('app.user', %s, false)", [neighbours.bob.user_id])
    assert psql.execute(
        "SELECT todo.current_user_id(), todo.current_token_id(), todo.current_space('read')"
    ).fetchone() == (None, None, None)


def test_log_of_a_change_that_follows_itself_ends(db: Database) -> None:
    """The row before the change has the rev of the change itself."""
    carol = db.person()
    image = '[{"number": 1, "rev": 2, "title": "x"}]'
    with closing(Line(carol.database_url, carol)) as line, closing(signed(carol)) as connection:
        line(AddTask(title="x"))
        connection.execute(
            "INSERT INTO todo.changes (space_id, seq, request_hash, verb, request, before, after)"
            " VALUES (%s, 2, '', 'x', '{}', %s, %s)",
            [carol.user_id, image, image],
        )
        connection.execute("UPDATE todo.tasks SET rev = 2")
        assert len(line(ListChanges(number=1)).changes) == 1
        assert line(ListChanges(number=1, before=2)).changes == ()
