"""Two people with logins of their own and psql in hand: neither sees, changes or disturbs what is the other's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql

from tests.conftest import Database, Person
from tests.db.conftest import Line, Raw, raw, share, signed, token_for
from todo_cli.contract.tasks import AddTask, CompleteTasks
from todo_cli.contract.tokens import CreateToken
from todo_cli.errors import NotAllowed, NotSignedIn, TodoError

TABLES = ("schema", "users", "spaces", "members", "tokens", "preferences", "tasks", "task_tags", "changes", "buckets",
          "failures", "alembic_version", "comments", "words")  # fmt: skip
CLOSED = {"users", "words", "buckets", "failures", "alembic_version"}
REFUSED = (errors.InsufficientPrivilege,)


class House(NamedTuple):
    """Alice attacks; everything of Bob's has his name in it."""

    db: Database
    alice: Person
    bob: Person
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
def house(db: Database) -> House:
    alice, bob = db.person(), db.person(f"bob{uuid4().hex[:8]}")
    with closing(Line(bob.database_url, bob)) as line:
        line(
            AddTask(title="bobtitle", note="bobnote", project="bobproject", tags=("bobtag",), due="2030-01-01"),
            key="bobkey",
        )
        line(CompleteTasks(numbers=(1,)))
        line(CreateToken(id=str(uuid4()), hash="b0" * 32, name="bobtoken", scopes=("read",)))
    return House(
        db, alice, bob, (bob.user_id, bob.name, "bobtitle", "bobnote", "bobproject", "bobtag", "bobkey", "bobtoken")
    )


@pytest.fixture
def psql(house: House) -> Iterator[Raw]:
    """Alice's own login with her own token set."""
    with closing(signed(house.alice)) as connection:
        yield connection


def disguises(house: House) -> dict[str, dict[str, str]]:
    """Whatever Alice may say of herself."""
    alice, bob = house.alice, house.bob
    forged = f"todo_{bob.user_id.replace('-', '')}_{'x' * 43}"
    return {
        "nobody": {"token": "", "user": "", "space": ""},
        "herself": {},
        "herself in his space": {"space": bob.user_id},
        "his name, her token": {"user": bob.user_id, "space": bob.user_id},
        "a forged token": {"token": forged, "user": bob.user_id, "space": bob.user_id},
        "his own token": {"token": bob.token, "user": bob.user_id, "space": bob.user_id},
        "his token, her name": {"token": bob.token, "space": bob.user_id},
        "the nil user": {"user": "00000000-0000-0000-0000-000000000000"},
        "a hash": {"token": "\\x" + "b0" * 32, "user": bob.user_id, "space": bob.user_id},
        "her token, his space": {"token": alice.token, "space": bob.user_id},
    }


def readable(connection: Raw, table: str) -> list[str]:
    query = """SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
      AND has_column_privilege(attrelid, attnum, 'SELECT')"""
    return [row[0] for row in connection.execute(query, [f"todo.{table}"])]


def test_the_attack_would_find_something(house: House) -> None:
    with closing(signed(house.bob)) as connection:
        assert len(connection.execute("SELECT title FROM todo.tasks").fetchall()) == 1
        assert len(connection.execute("SELECT key FROM todo.changes").fetchall()) == 3


@pytest.mark.parametrize("served", [False, True], ids=["own login", "the servers' login"])
def test_nothing_of_his_is_read_whoever_she_says_she_is(house: House, served: bool) -> None:
    for name, settings in disguises(house).items():
        if served and name == "his own token":
            continue  # that is he
        given = {"token": house.alice.token, "user": house.alice.user_id, "space": house.alice.user_id} | settings
        url = house.db.server_url if served else house.alice.database_url
        with closing(raw(url, **given)) as connection:
            for table in TABLES:
                columns = readable(connection, table)
                assert bool(columns) is (table not in CLOSED), table
                if not columns:
                    with pytest.raises(REFUSED):
                        connection.execute(sql.SQL("SELECT FROM todo.{}").format(sql.Identifier(table)))
                    continue
                every = sql.SQL("SELECT {} FROM todo.{}").format(
                    sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table)
                )
                found = str(connection.execute(every).fetchall())
                assert not [secret for secret in house.secrets if secret in found], (name, table)
            for function in ("people()", "my_spaces()"):
                found = str(connection.execute(f"SELECT * FROM todo.{function}").fetchall())
                assert not [secret for secret in house.secrets if secret in found], (name, function)


def test_the_server_without_a_token_sees_nothing(house: House) -> None:
    with closing(raw(house.db.server_url)) as connection:
        for table in set(TABLES) - CLOSED - {"schema", "tokens"}:
            assert connection.execute(f"SELECT count(*) FROM todo.{table}").fetchone() == (0,)
        assert connection.execute("SELECT count(id) FROM todo.tokens").fetchone() == (0,)
        with pytest.raises(REFUSED):
            connection.execute("INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)"
                               " VALUES (%s, 9, gen_random_uuid(), 'x', now(), now(), 1)", [house.bob.user_id])  # fmt: skip


def test_ids_guessed_exactly_find_nothing(psql: Raw, house: House) -> None:
    bob = house.bob.user_id
    for query in (
        "SELECT title FROM todo.tasks WHERE space_id = %s AND number = 1",
        "SELECT tag FROM todo.task_tags WHERE space_id = %s AND number = 1",
        "SELECT request FROM todo.changes WHERE space_id = %s AND seq = 1",
        "SELECT name FROM todo.spaces WHERE id = %s",
        "SELECT role FROM todo.members WHERE space_id = %s",
        "SELECT name FROM todo.tokens WHERE user_id = %s",
        "SELECT timezone FROM todo.preferences WHERE user_id = %s",
        "SELECT name FROM todo.people() WHERE id = %s",
    ):
        assert psql.execute(query, [bob]).fetchall() == [], query


def insert_task(space: str) -> tuple[str, list[Any]]:
    return ("INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)"
            " VALUES (%s, 77, gen_random_uuid(), 'x', now(), now(), 1)", [space])  # fmt: skip


def test_nothing_is_written_into_his_space_nor_told_about_it(psql: Raw, house: House) -> None:
    """A space that is there and one that is not are refused alike, before any unique or foreign key is looked at."""
    for space in (house.bob.user_id, str(uuid4())):
        for statement, values in (
            insert_task(space),
            ("INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev) VALUES"
             " (%s, 1, gen_random_uuid(), 'x', now(), now(), 1) ON CONFLICT DO NOTHING", [space]),
            ("INSERT INTO todo.task_tags VALUES (%s, 1, 'bobtag')", [space]),
            ("INSERT INTO todo.changes (space_id, seq, request_hash, verb, request) VALUES (%s, 1, '', 'x', '{}')", [space]),
            ("INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES (%s, gen_random_uuid(), 'x',"
             " decode(repeat('b0', 32), 'hex'), '{all}')", [space]),
            ("INSERT INTO todo.preferences VALUES (%s, 'UTC')", [space]),
        ):  # fmt: skip
            with pytest.raises(REFUSED, match="row-level security"):
                psql.execute(statement, values)
    bob = [house.bob.user_id]
    assert psql.execute("UPDATE todo.tasks SET title = 'x' WHERE space_id = %s", bob).rowcount == 0
    assert psql.execute("UPDATE todo.spaces SET seq = 0 WHERE id = %s", bob).rowcount == 0
    assert psql.execute("UPDATE todo.tokens SET revoked_at = now() WHERE user_id = %s", bob).rowcount == 0
    assert psql.execute("UPDATE todo.preferences SET timezone = NULL WHERE user_id = %s", bob).rowcount == 0
    psql.execute("SELECT todo.untag('{1}', '{bobtag}')")
    assert house.db.execute("SELECT count(*) FROM todo.task_tags WHERE space_id = %s", *bob) == [(1,)]


def test_what_fails_on_a_row_fails_on_her_own_only(psql: Raw) -> None:
    """She has no task: whatever is raised would have been raised by one of somebody else's."""
    for name in ("enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan", "enable_seqscan"):
        psql.execute(f"SET {name} = off")
        for expression in ("title::int", "1 / (number - number)", "note::uuid", "(title || '')::date", "project::json",
                           "to_number(title, '9')", "pg_input_is_valid(title, 'nothing')"):  # fmt: skip
            if "pg_input" in expression and psql.info.server_version < 160000:
                continue
            found = psql.execute(f"SELECT number FROM todo.tasks WHERE {expression} IS NOT NULL")
            assert found.fetchall() == [], expression
        psql.execute(f"SET {name} = on")
    psql.execute("DO $$ DECLARE t record; BEGIN FOR t IN SELECT * FROM todo.tasks WHERE title::int > 0 LOOP"
                 " RAISE EXCEPTION '%', t; END LOOP; END $$")  # fmt: skip


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
def test_explain_counts_nothing_of_his(psql: Raw, house: House, probe: str) -> None:
    """An index that a policy does not narrow would count the rows that the policy removed: an oracle for any content."""
    psql.execute("SET enable_seqscan = off")
    # her own rows may be counted, whichever index is taken: but no more than when she asks for nobody's
    assert _removed(psql, probe, house.bob.user_id) == _removed(psql, probe, str(uuid4()))


def _removed(psql: Raw, probe: str, bob: str) -> list[str]:
    query = f"EXPLAIN (ANALYZE, BUFFERS OFF, FORMAT JSON) SELECT FROM todo.{probe.format(bob=bob)}"
    row = psql.execute(query).fetchone()
    assert row is not None
    return re.findall(r"'(?:Rows Removed by Filter|Actual Rows)': [\d.]+", str(row[0]))


def test_statistics_and_other_sessions_stay_shut(psql: Raw, house: House) -> None:
    house.db.execute("ANALYZE todo.tasks")
    assert psql.execute("SELECT * FROM pg_stats WHERE schemaname = 'todo'").fetchall() == []
    assert psql.execute("SELECT * FROM pg_stats_ext WHERE schemaname = 'todo'").fetchall() == []
    with closing(signed(house.bob)) as his, closing(raw(house.db.server_url)) as server:
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
def test_no_table_is_locked_away_from_others(psql: Raw, table: str) -> None:
    for mode in ("SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"):
        with pytest.raises(REFUSED), psql.transaction():
            psql.execute(f"LOCK TABLE todo.{table} IN {mode} MODE NOWAIT")


def test_notifications_and_large_objects_harm_nobody(psql: Raw, house: House) -> None:
    psql.execute("NOTIFY whatever, 'x'")
    with closing(signed(house.bob)) as his:
        row = his.execute("SELECT lo_from_bytea(0, 'bobsecret')").fetchone()
        assert row is not None
        for statement in ("SELECT lo_get(%s)", "SELECT lo_unlink(%s)", "SELECT lo_open(%s, 262144)"):
            with pytest.raises(REFUSED):
                psql.execute(statement, [row[0]])
        his.execute("SELECT lo_unlink(%s)", [row[0]])


def test_row_security_off_is_an_error_not_a_door(psql: Raw) -> None:
    psql.execute("SET row_security = off")
    for table in ("tasks", "changes", "spaces", "members"):
        with pytest.raises(REFUSED):
            psql.execute(f"SELECT count(*) FROM todo.{table}")


def test_search_path_does_not_reach_the_definer_functions(psql: Raw, house: House) -> None:
    psql.execute("SET search_path = pg_temp, todo, public")
    psql.execute("SELECT set_config('app.user', %s, false)", [house.bob.user_id])
    assert psql.execute("SELECT todo.me(), todo.token(), todo.space('read')").fetchone() == (None, None, None)


def test_a_narrowed_token_is_refused_directly(house: House) -> None:
    narrow = token_for(house.db, house.bob, "read", "tasks:write", "tokens:write", "admin", "prefs:write")
    with closing(Line(house.bob.database_url, house.bob)) as line, pytest.raises(NotAllowed, match="directly"):
        line(AddTask(title="x"), token=narrow)
    with closing(signed(house.bob, token=narrow)) as connection:
        assert connection.execute("SELECT count(*) FROM todo.tasks").fetchone() == (0,)
        with pytest.raises(REFUSED):
            connection.execute(*insert_task(house.bob.user_id))


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE todo.tokens SET revoked_at = clock_timestamp() WHERE user_id = %s",
        "UPDATE todo.tokens SET expires_at = clock_timestamp() WHERE user_id = %s",
        "UPDATE todo.users SET disabled_at = clock_timestamp() WHERE id = %s",
        "UPDATE todo.users SET login = NULL WHERE id = %s",
        "DELETE FROM todo.members WHERE user_id = %s",
    ],
)
def test_what_ends_ends_at_the_next_statement(db: Database, end: str) -> None:
    carol = db.person()
    with closing(Line(carol.database_url, carol)) as line, closing(signed(carol)) as connection:
        line(AddTask(title="x"))
        assert connection.execute("SELECT count(*) FROM todo.tasks").fetchone() == (1,)
        with closing(psycopg.connect(carol.database_url)) as inside:  # in the middle of a transaction too
            inside.execute(
                "SELECT todo.enter(1, %s, %s, %s, 'read', false, 'x')", [carol.token, carol.user_id, carol.user_id]
            )
            db.execute(end, carol.user_id)
            assert inside.execute("SELECT count(*) FROM todo.tasks").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM todo.tasks").fetchone() == (0,)
        assert connection.execute("UPDATE todo.tasks SET title = 'y'").rowcount == 0
        with pytest.raises((NotSignedIn, NotAllowed)):
            line(AddTask(title="y"))


def test_a_revoked_token_stays_revoked(db: Database) -> None:
    carol = db.person()
    other = token_for(db, carol, "all")
    with closing(signed(carol)) as connection:
        assert connection.execute("UPDATE todo.tokens SET revoked_at = now() WHERE name <> 'first'").rowcount == 1
        assert connection.execute("UPDATE todo.tokens SET revoked_at = NULL").rowcount == 1  # the one that lives
    with closing(Line(carol.database_url, carol)) as line, pytest.raises(NotSignedIn):
        line(AddTask(title="x"), token=other)


def test_her_login_is_not_his(house: House) -> None:
    with closing(Line(house.alice.database_url, house.bob)) as line, pytest.raises(NotAllowed, match="directly"):
        line(AddTask(title="x"))
    with closing(Line(house.alice.database_url, house.alice)) as line, pytest.raises(NotAllowed, match="no such space"):
        line(AddTask(title="x"), space=house.bob.user_id)


def test_a_viewer_looks_and_does_nothing_else(db: Database) -> None:
    owner, viewer = db.person(), db.person()
    share(db, owner.user_id, viewer, "viewer")
    with closing(Line(owner.database_url, owner)) as line:
        line(AddTask(title="shared", tags=("t",)))
    with closing(signed(viewer, space=owner.user_id)) as connection:
        assert connection.execute("SELECT title FROM todo.tasks").fetchall() == [("shared",)]
        assert {row[0] for row in connection.execute("SELECT name FROM todo.people()")} == {owner.name, viewer.name}
        for statement in ("UPDATE todo.spaces SET seq = 0", "UPDATE todo.tasks SET title = 'x'"):
            assert connection.execute(statement).rowcount == 0
        connection.execute("SELECT todo.untag('{1}', '{t}')")
        assert connection.execute("SELECT id FROM todo.spaces FOR UPDATE").fetchall() == []
        for refused in (insert_task(owner.user_id),
                        ("INSERT INTO todo.changes (space_id, seq, request_hash, verb, request) VALUES (%s, 9, '', 'x', '{}')",
                         [owner.user_id])):  # fmt: skip
            with pytest.raises(REFUSED):
                connection.execute(*refused)
    assert db.execute("SELECT count(*) FROM todo.task_tags WHERE space_id = %s", owner.user_id) == [(1,)]
    with closing(Line(viewer.database_url, viewer)) as line, pytest.raises(NotAllowed, match="viewer"):
        line(AddTask(title="x"), space=owner.user_id)


def test_an_editor_of_his_space_mints_no_token_of_his(db: Database) -> None:
    owner, editor = db.person(), db.person()
    share(db, owner.user_id, editor, "editor")
    with closing(signed(editor, space=owner.user_id)) as connection:
        for user in (owner.user_id, editor.user_id):
            with pytest.raises(REFUSED):
                connection.execute("INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES"
                                   " (%s, gen_random_uuid(), 'x', sha256('x'), '{all}')", [user])  # fmt: skip


@pytest.mark.parametrize(
    ("scopes", "may"),
    [(("read",), ""), (("tasks:write",), "tasks"), (("tokens:write",), "tokens"), (("prefs:write",), "prefs")],
)
def test_the_second_wall_knows_scopes(db: Database, scopes: tuple[str, ...], may: str) -> None:
    """As a server that forgot to check them."""
    carol = db.person()
    token = token_for(db, carol, *scopes)
    me = carol.user_id
    with closing(raw(db.server_url, token=token, user=me, space=me)) as connection:
        for what, (statement, values) in {
            "tasks": insert_task(me),
            "tokens": ("INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES"
                       " (%s, gen_random_uuid(), 'x', sha256('x'), '{all}')", [me]),
            "prefs": ("INSERT INTO todo.preferences VALUES (%s, 'UTC') ON CONFLICT (user_id) DO UPDATE SET timezone = 'UTC'", [me]),
            "any": ("INSERT INTO todo.changes (space_id, seq, request_hash, verb, request) VALUES (%s, 9, '', 'x', '{}')", [me]),
        }.items():  # fmt: skip
            if what == may or (what == "any" and may):
                assert connection.execute(statement, values).rowcount == 1
            else:
                with pytest.raises(REFUSED):
                    connection.execute(statement, values)


def test_the_gate_has_no_hole_for_null(house: House) -> None:
    alice = house.alice
    narrow = token_for(house.db, alice, "read")
    with closing(raw(house.db.server_url)) as connection:
        for schema, token, space, scope in ((None, alice.token, alice.user_id, "read"), (1, None, alice.user_id, "read"),
                                            (1, alice.token, None, "read"), (1, narrow, alice.user_id, None)):  # fmt: skip
            with pytest.raises(psycopg.Error) as caught:
                connection.execute("SELECT todo.enter(%s::int, %s, %s, %s, %s, false, 'x')",
                                   [schema, token, alice.user_id, space, scope])  # fmt: skip
            assert str(caught.value.sqlstate).startswith("TD")


def test_the_way_is_the_database_s_to_say(house: House) -> None:
    with closing(signed(house.alice, way="api")) as connection:
        assert connection.execute("SELECT todo.way()").fetchone() == ("direct",)


def test_errors_tell_nothing_of_the_token(house: House) -> None:
    with closing(Line(house.db.server_url, house.bob)) as line:
        secret = f"todo_{house.bob.user_id.replace('-', '')}_{'s' * 43}"
        with pytest.raises(TodoError) as caught:
            line(AddTask(title="x"), token=secret)
        assert "ssss" not in f"{caught.value} {caught.value.hint} {caught.value.extra} {caught.value.__cause__}"
