"""Two people with logins of their own and psql in hand: neither sees, changes or disturbs what is the other's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql

from tests.conftest import Database, Person
from tests.support.connections import Line, Raw, raw, share, signed, token_for
from todo_cli.contract.base import Request
from todo_cli.contract.conversations import ListConversations, ShowConversation
from todo_cli.contract.journal import ListChanges
from todo_cli.contract.message_search import SearchConversations
from todo_cli.contract.prompt_history import ListPrompts
from todo_cli.contract.tasks import AddTask, CompleteTasks
from todo_cli.contract.tokens import CreateToken
from todo_cli.contract.usage import ReadUsage
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import NotAllowed, NotSignedIn, TodoError

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
            for function in ("space_members()", "user_spaces()"):
                found = str(connection.execute(f"SELECT * FROM todo.{function}").fetchall())
                assert not [secret for secret in house.secrets if secret in found], (name, function)


def test_the_server_without_a_token_sees_nothing(house: House) -> None:
    with closing(raw(house.db.server_url)) as connection:
        for table in set(TABLES) - CLOSED - {"schema", "tokens"}:
            assert connection.execute(f"SELECT count(*) FROM todo.{table}").fetchone() == (0,)
        assert connection.execute("SELECT count(id) FROM todo.tokens").fetchone() == (0,)
        with pytest.raises(REFUSED):
            connection.execute(
                "INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)"
                " VALUES (%s, 9, gen_random_uuid(), 'x', now(), now(), 1)",
                [house.bob.user_id],
            )


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
        "SELECT name FROM todo.space_members() WHERE id = %s",
    ):
        assert psql.execute(query, [bob]).fetchall() == [], query


def insert_task(space: str) -> tuple[str, list[Any]]:
    return (
        "INSERT INTO todo.tasks (space_id, number, id, title, created_at, updated_at, rev)"
        " VALUES (%s, 1, gen_random_uuid(), 'x', now(), now(), 1)",
        [space],
    )


def test_nothing_is_written_into_his_space_nor_told_about_it(psql: Raw, house: House) -> None:
    """A space that is there and one that is not are refused alike, before any unique or foreign key is looked at."""
    for space in (house.bob.user_id, str(uuid4())):
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
    bob = [house.bob.user_id]
    assert psql.execute("UPDATE todo.tasks SET title = 'x' WHERE space_id = %s", bob).rowcount == 0
    assert psql.execute("UPDATE todo.tokens SET revoked_at = now() WHERE user_id = %s", bob).rowcount == 0
    assert psql.execute("UPDATE todo.preferences SET timezone = NULL WHERE user_id = %s", bob).rowcount == 0
    psql.execute("SELECT todo.remove_tags('{1}', '{bobtag}')")
    assert house.db.execute("SELECT count(*) FROM todo.task_tags WHERE space_id = %s", *bob) == [(1,)]


def test_what_fails_on_a_row_fails_on_her_own_only(psql: Raw) -> None:
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


def test_notifications_are_allowed_and_large_objects_are_not(psql: Raw) -> None:
    psql.execute("NOTIFY whatever, 'x'")
    for statement in ("SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')"):
        with pytest.raises(REFUSED):
            psql.execute(statement)


def test_row_security_off_is_an_error_not_a_door(psql: Raw) -> None:
    psql.execute("SET row_security = off")
    for table in ("tasks", "changes", "spaces", "members"):
        with pytest.raises(REFUSED):
            psql.execute(f"SELECT count(*) FROM todo.{table}")


def test_search_path_does_not_reach_the_definer_functions(psql: Raw, house: House) -> None:
    psql.execute("SET search_path = pg_temp, todo, public")
    psql.execute("SELECT set_config('app.user', %s, false)", [house.bob.user_id])
    assert psql.execute(
        "SELECT todo.current_user_id(), todo.current_token_id(), todo.current_space('read')"
    ).fetchone() == (None, None, None)


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
                "SELECT todo.enter(%s, %s, %s, %s, 'read', false, 'x')",
                [SCHEMA_VERSION, carol.token, carol.user_id, carol.user_id],
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
        assert {row[0] for row in connection.execute("SELECT name FROM todo.space_members()")} == {
            owner.name,
            viewer.name,
        }
        assert connection.execute("UPDATE todo.tasks SET title = 'x'").rowcount == 0
        connection.execute("SELECT todo.remove_tags('{1}', '{t}')")
        for refused in (
            insert_task(owner.user_id),
            (
                "INSERT INTO todo.changes (space_id, seq, request_hash, verb, request) VALUES (%s, 9, '', 'x', '{}')",
                [owner.user_id],
            ),
        ):
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
                connection.execute(
                    "INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES"
                    " (%s, gen_random_uuid(), 'x', sha256('x'), '{all}')",
                    [user],
                )


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
            "tokens": (
                "INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES"
                " (%s, gen_random_uuid(), 'x', sha256('x'), '{all}')",
                [me],
            ),
            "prefs": (
                "INSERT INTO todo.preferences VALUES (%s, 'UTC') ON CONFLICT (user_id) DO UPDATE SET timezone = 'UTC'",
                [me],
            ),
            "any": (
                "INSERT INTO todo.changes (space_id, seq, request_hash, verb, request) VALUES (%s, 1, '', 'x', '{}')",
                [me],
            ),
        }.items():
            if what == may or (what == "any" and may):
                assert connection.execute(statement, values).rowcount == 1
            else:
                with pytest.raises(REFUSED):
                    connection.execute(statement, values)


def test_the_gate_has_no_hole_for_null(house: House) -> None:
    alice = house.alice
    narrow = token_for(house.db, alice, "read")
    with closing(raw(house.db.server_url)) as connection:
        for schema, token, space, scope in (
            (None, alice.token, alice.user_id, "read"),
            (SCHEMA_VERSION, None, alice.user_id, "read"),
            (SCHEMA_VERSION, alice.token, None, "read"),
            (SCHEMA_VERSION, narrow, alice.user_id, None),
        ):
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(
                    "SELECT todo.enter(%s::int, %s, %s, %s, %s, false, 'x')",
                    [schema, token, alice.user_id, space, scope],
                )
            assert str(caught.value.sqlstate).startswith("TD")


def test_the_way_is_the_database_s_to_say(house: House) -> None:
    with closing(signed(house.alice, way="api")) as connection:
        assert connection.execute("SELECT todo.current_way()").fetchone() == ("direct",)


def test_enter_in_any_session_zone_sets_utc_for_the_transaction(house: House) -> None:
    """to_json() writes timestamps in the session's zone, which the journal keeps."""
    alice = house.alice
    sign_in = "SELECT todo.enter(%s, %s, %s, %s, 'read', false, 'test')"
    with closing(psycopg.connect(alice.database_url, options="-c timezone=Asia/Kolkata")) as connection:
        connection.execute(sign_in, [SCHEMA_VERSION, alice.token, alice.user_id, alice.user_id])
        row = connection.execute("SELECT to_json(timestamptz '2026-01-01 00:00:00+00') #>> '{}'").fetchone()
        connection.rollback()
        assert (row, connection.info.parameter_status("TimeZone")) == (("2026-01-01T00:00:00+00:00",), "Asia/Kolkata")


def test_errors_tell_nothing_of_the_token(house: House) -> None:
    with closing(Line(house.db.server_url, house.bob)) as line:
        secret = f"todo_{house.bob.user_id.replace('-', '')}_{'s' * 43}"
        with pytest.raises(TodoError) as caught:
            line(AddTask(title="x"), token=secret)
        assert "ssss" not in f"{caught.value} {caught.value.hint} {caught.value.extra} {caught.value.__cause__}"


MESSAGE = """INSERT INTO todo.messages (space_id, conversation_id, seq, turn_id, attempt, role, content, tokens, model, usage)
  VALUES (%s, %s, %s, %s, %s, 'assistant', %s, 1, 'm', %s)"""


def talk(connection: Raw, space: str) -> tuple[str, str]:
    """A conversation and a turn of whoever this is."""
    conversation, turn = str(uuid4()), str(uuid4())
    connection.execute(
        "INSERT INTO todo.conversations (space_id, id, title) VALUES (%s, %s, 'bobtalk')",
        [space, conversation],
    )
    connection.execute(
        "INSERT INTO todo.turns (space_id, id, conversation_id, runner, lease_until, asked)"
        " VALUES (%s, %s, %s, gen_random_uuid(), now(), 1)",
        [space, turn, conversation],
    )
    return conversation, turn


REACHING = (
    "SELECT * FROM todo.search_tasks('bobtitle bobcomment', 10, 'all', true)",
    "SELECT * FROM todo.search_messages('bobword', 10, NULL, '{{user,assistant,tool}}', '-infinity', 'infinity', false)",
    "SELECT * FROM todo.delete_comment(1, '{comment}')",
    "SELECT * FROM todo.delete_view('bobview')",
    "SELECT * FROM todo.set_default_view('bobview')",
    "SELECT * FROM todo.set_default_view(NULL)",
    "SELECT * FROM todo.token_budget()",
    "SELECT * FROM todo.usage",
    "SELECT 1 WHERE todo.remove_links('{{2}}', '{{1}}') IS NULL",
    "SELECT 1 WHERE todo.delete_turn_events('{turn}') IS NULL",
)
MADE = """SELECT (SELECT count(*) FROM todo.links WHERE space_id = %s), (SELECT count(*) FROM todo.comments WHERE space_id = %s),
  (SELECT count(*) FROM todo.views WHERE space_id = %s AND is_default), (SELECT sum(prompt) FROM todo.usage WHERE user_id = %s)"""


def test_no_function_reaches_what_is_his(db: Database) -> None:
    house = House(db, db.person(), db.person(f"bob{uuid4().hex[:8]}"), ())
    bob = house.bob.user_id
    with closing(Line(house.bob.database_url, house.bob)) as line:
        for title in ("bobtitle", "bobother"):
            line(AddTask(title=title))
    with closing(signed(house.bob)) as his:
        conversation, turn = talk(his, bob)
        his.execute(MESSAGE, [bob, conversation, 1, turn, 1, "bobword", '{"prompt": 7}'])
        his.execute("INSERT INTO todo.links VALUES (%s, 2, 1)", [bob])
        comment = str(uuid4())
        his.execute(
            "INSERT INTO todo.comments (space_id, number, id, text) VALUES (%s, 1, %s, 'bobcomment')", [bob, comment]
        )
        his.execute("INSERT INTO todo.views (space_id, name, filter) VALUES (%s, 'bobview', 'p1')", [bob])
        his.execute("UPDATE todo.preferences SET tokens_per_day = 5")
        his.execute("SELECT todo.set_default_view('bobview')")
        attacks = [one.format(comment=comment, turn=turn) for one in REACHING]
        assert all(his.execute(one).fetchall() for one in (*attacks[:2], *attacks[6:8]))
    was = db.execute(MADE, bob, bob, bob, bob)
    assert was == [(1, 1, 1, 7)]
    for name, settings in disguises(house).items():
        given = {"token": house.alice.token, "user": house.alice.user_id, "space": house.alice.user_id} | settings
        with closing(raw(house.alice.database_url, **given)) as connection:
            for attack in attacks:
                if not attack.startswith("SELECT 1"):
                    assert connection.execute(attack).fetchall() == [], (name, attack)
                else:
                    connection.execute(attack)
    assert db.execute(MADE, bob, bob, bob, bob) == was


def test_another_member_s_comments_views_and_turns_stay_theirs(db: Database) -> None:
    owner, editor = db.person(), db.person()
    space, comment = owner.user_id, str(uuid4())
    share(db, space, editor, "editor")
    with closing(Line(owner.database_url, owner)) as line:
        line(AddTask(title="shared"))
    with closing(signed(owner)) as connection:
        _, turn = talk(connection, space)
        connection.execute(
            "INSERT INTO todo.comments (space_id, number, id, text) VALUES (%s, 1, %s, 'hers')", [space, comment]
        )
        connection.execute("INSERT INTO todo.views (space_id, name, filter) VALUES (%s, 'v', 'p1')", [space])
    rows = json.dumps(
        [{"turn": turn, "role": "user", "status": "whole", "content": "x", "tokens": 1, "at": "2020-01-01T00:00:00Z"}]
    )
    with closing(signed(editor, space=space)) as connection:
        assert connection.execute("UPDATE todo.comments SET text = 'his'").rowcount == 0
        assert connection.execute("SELECT * FROM todo.delete_comment(1, %s)", [comment]).fetchall() == []
        assert connection.execute("SELECT * FROM todo.delete_view('v')").fetchall() == []
        assert connection.execute("UPDATE todo.conversations SET title = 'his'").rowcount == 0
        take_in = "SELECT stored FROM todo.import_messages(%s, 't', NULL, now(), 0, %s)"
        assert connection.execute(take_in, [str(uuid4()), rows]).fetchall() == [(1,)]
        for forged in (
            "INSERT INTO todo.comments (space_id, number, id, text, user_id) VALUES (%s, 1, gen_random_uuid(), 'x', %s)",
            "INSERT INTO todo.views (space_id, name, filter, user_id) VALUES (%s, 'w', 'p1', %s)",
        ):
            with pytest.raises(REFUSED):
                connection.execute(forged, [space, space])
    # the turn's id stands in the journal, for all of the space to read
    assert db.execute("SELECT last, ended_at FROM todo.turns WHERE id = %s AND user_id = %s", turn, space) == [
        (None, None)
    ]
    assert db.execute("SELECT text FROM todo.comments WHERE id = %s", comment) == [("hers",)]


def test_rows_under_another_members_conversation_are_refused_even_with_its_exact_ids(db: Database) -> None:
    """Keys contain the user, so a row under another's conversation has nothing to refer to."""
    owner, editor = db.person(), db.person()
    space = owner.user_id
    share(db, space, editor, "editor")
    with closing(signed(owner)) as connection:
        conversation, turn = talk(connection, space)
        connection.execute(MESSAGE, [space, conversation, 1, turn, 1, "hers", None])
    rows = json.dumps(
        [{"turn": turn, "role": "user", "status": "whole", "content": "x", "tokens": 1, "at": "2020-01-01T00:00:00Z"}]
    )
    forged_turn = "INSERT INTO todo.turns (space_id, id, conversation_id, runner, lease_until, asked)"
    forged_event = "INSERT INTO todo.events (space_id, turn_id, n, attempt, after, batch)"
    with closing(signed(editor, space=space)) as connection:
        for statement, values in (
            (MESSAGE, [space, conversation, 2, turn, 1, "his", None]),
            (f"{forged_turn} VALUES (%s, gen_random_uuid(), %s, gen_random_uuid(), now(), 1)", [space, conversation]),
            (f"{forged_event} VALUES (%s, %s, 0, 1, 1, '[]')", [space, turn]),
        ):
            with pytest.raises(errors.ForeignKeyViolation):
                connection.execute(statement, values)
        # the same ids are free for a conversation of the editor's own
        imported = connection.execute(
            "SELECT stored FROM todo.import_messages(%s, 't', NULL, now(), 0, %s)", [conversation, rows]
        )
        assert imported.fetchall() == [(1,)]
    contents = "SELECT user_id::text, content FROM todo.messages WHERE conversation_id = %s ORDER BY content"
    assert db.execute(contents, conversation) == [(owner.user_id, "hers"), (editor.user_id, "x")]
    assert db.execute("SELECT count(*) FROM todo.turns WHERE id = %s", turn) == [(2,)]


@pytest.mark.parametrize(("scope", "count"), [("read", 0), ("tasks:write", 0), ("chat", 1)])
def test_conversations_are_visible_to_the_scope_chat_alone(db: Database, scope: str, count: int) -> None:
    carol = db.person()
    with closing(signed(carol)) as connection:
        conversation, turn = talk(connection, carol.user_id)
        connection.execute(MESSAGE, [carol.user_id, conversation, 1, turn, 1, "text", None])
        connection.execute(
            "INSERT INTO todo.events (space_id, turn_id, n, attempt, after, batch) VALUES (%s, %s, 0, 1, 1, '[]')",
            [carol.user_id, turn],
        )
    token = token_for(db, carol, scope)
    search = "todo.search_messages('text', 10, NULL, '{assistant}', '-infinity', 'infinity', false)"
    with closing(raw(db.server_url, token=token, user=carol.user_id, space=carol.user_id)) as connection:
        for source in ("todo.conversations", "todo.turns", "todo.messages", "todo.events", search):
            assert connection.execute(f"SELECT count(*) FROM {source}").fetchone() == (count,), source


CHAT_READS: tuple[Request[Any], ...] = (
    ListConversations(),
    ShowConversation(number=1),
    SearchConversations(words="x"),
    ListPrompts(),
    ReadUsage(),
)


@pytest.mark.parametrize("request_", CHAT_READS, ids=lambda request: request.verb)
def test_chat_read_with_the_scope_read_alone_raises_not_allowed(db: Database, request_: Request[Any]) -> None:
    carol = db.person()
    with closing(Line(db.server_url, carol)) as line, pytest.raises(NotAllowed, match="scope chat"):
        line(request_, token=token_for(db, carol, "read"))


def test_nobody_lowers_what_they_have_used(db: Database) -> None:
    carol = db.person()
    used = "SELECT prompt, completion, cost FROM todo.usage WHERE user_id = %s"
    with closing(signed(carol)) as connection:
        conversation, turn = talk(connection, carol.user_id)
        for seq, (attempt, usage) in enumerate(
            [
                (1, '{"prompt": 1000, "completion": 10}'),
                (1, '{"prompt": -5000, "completion": -10, "cost": "-3"}'),
                (0, '{"prompt": 5}'),
                (-1, '{"prompt": 5}'),
                (1, '{"cached": 9223372036854775807, "cost": "NaN"}'),
                (1, '{"cached": 9223372036854775807}'),
            ],
            1,
        ):
            connection.execute(MESSAGE, [carol.user_id, conversation, seq, turn, attempt, "x", usage])
        for statement in (
            "UPDATE todo.usage SET prompt = 0",
            "DELETE FROM todo.usage",
            "TRUNCATE todo.usage",
            "UPDATE todo.messages SET usage = NULL",
        ):
            with pytest.raises(REFUSED):
                connection.execute(statement)
        with pytest.raises(psycopg.Error, match="administrator"):
            connection.execute("SELECT * FROM todo.set_token_budget(%s, NULL)", [carol.name])
    assert [row[:2] for row in db.execute(used, carol.user_id)] == [(1010, 10)]
    assert 0 <= db.execute(used, carol.user_id)[0][2] <= 10**12


@pytest.mark.long
def test_a_message_of_a_hundred_thousand_different_words_is_kept(db: Database) -> None:
    carol = db.person()
    letters = Random(1)
    with closing(signed(carol)) as connection:
        conversation, turn = talk(connection, carol.user_id)
        for seq, (low, high) in enumerate([(0x4E00, 0x9FA0), (0x20000, 0x2A6D0)], 1):
            text = "".join(chr(letters.randrange(low, high)) for _ in range(100_000))
            connection.execute(MESSAGE, [carol.user_id, conversation, seq, turn, 1, text, None])


def test_a_forged_history_ends(db: Database) -> None:
    """A change that says it came after itself."""
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
