"""What a token, a role and a scope may do at the database itself, without the checks of a server."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pytest

from tests.conftest import Database
from tests.support.connections import Line, raw, share, signed, token_for
from tests.support.neighbours import REFUSED, Neighbours, insert_task, make_neighbours
from todo_cli.contract.tasks import AddTask
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import NotAllowed, NotSignedIn, TodoError


@pytest.fixture(scope="module")
def neighbours(db: Database) -> Neighbours:
    return make_neighbours(db)


def test_token_of_fewer_scopes_is_refused_directly(neighbours: Neighbours) -> None:
    narrow = token_for(neighbours.db, neighbours.bob, "read", "tasks:write", "tokens:write", "admin", "prefs:write")
    with (
        closing(Line(neighbours.bob.database_url, neighbours.bob)) as line,
        pytest.raises(NotAllowed, match="directly"),
    ):
        line(AddTask(title="x"), token=narrow)
    with closing(signed(neighbours.bob, token=narrow)) as connection:
        assert connection.execute("SELECT count(*) FROM todo.tasks").fetchone() == (0,)
        with pytest.raises(REFUSED):
            connection.execute(*insert_task(neighbours.bob.user_id))


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
def test_access_that_has_ended_is_refused_at_the_next_statement(db: Database, end: str) -> None:
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


def test_revoked_token_stays_revoked(db: Database) -> None:
    carol = db.person()
    other = token_for(db, carol, "all")
    with closing(signed(carol)) as connection:
        assert connection.execute("UPDATE todo.tokens SET revoked_at = now() WHERE name <> 'first'").rowcount == 1
        assert connection.execute("UPDATE todo.tokens SET revoked_at = NULL").rowcount == 1  # the one that lives
    with closing(Line(carol.database_url, carol)) as line, pytest.raises(NotSignedIn):
        line(AddTask(title="x"), token=other)


def test_login_of_another_user_is_refused(neighbours: Neighbours) -> None:
    with (
        closing(Line(neighbours.alice.database_url, neighbours.bob)) as line,
        pytest.raises(NotAllowed, match="directly"),
    ):
        line(AddTask(title="x"))
    with (
        closing(Line(neighbours.alice.database_url, neighbours.alice)) as line,
        pytest.raises(NotAllowed, match="no such space"),
    ):
        line(AddTask(title="x"), space=neighbours.bob.user_id)


def test_viewer_reads_and_changes_nothing(db: Database) -> None:
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


def test_editor_of_a_space_creates_no_token_of_its_owner(db: Database) -> None:
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
def test_policies_without_the_check_of_a_server_enforce_scopes(db: Database, scopes: tuple[str, ...], may: str) -> None:
    """A server that forgot to check the scopes is stopped by the policies."""
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


def test_enter_with_a_null_is_refused(neighbours: Neighbours) -> None:
    alice = neighbours.alice
    narrow = token_for(neighbours.db, alice, "read")
    with closing(raw(neighbours.db.server_url)) as connection:
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


def test_way_that_a_client_claims_is_ignored(neighbours: Neighbours) -> None:
    with closing(signed(neighbours.alice, way="api")) as connection:
        assert connection.execute("SELECT todo.current_way()").fetchone() == ("direct",)


def test_enter_in_any_session_zone_sets_utc_for_the_transaction(neighbours: Neighbours) -> None:
    """to_json() writes timestamps in the session's zone, which the journal keeps."""
    alice = neighbours.alice
    sign_in = "SELECT todo.enter(%s, %s, %s, %s, 'read', false, 'test')"
    with closing(psycopg.connect(alice.database_url, options="-c timezone=Asia/Kolkata")) as connection:
        connection.execute(sign_in, [SCHEMA_VERSION, alice.token, alice.user_id, alice.user_id])
        row = connection.execute("SELECT to_json(timestamptz '2026-01-01 00:00:00+00') #>> '{}'").fetchone()
        connection.rollback()
        assert (row, connection.info.parameter_status("TimeZone")) == (("2026-01-01T00:00:00+00:00",), "Asia/Kolkata")


def test_error_of_a_wrong_token_does_not_contain_it(neighbours: Neighbours) -> None:
    with closing(Line(neighbours.db.server_url, neighbours.bob)) as line:
        secret = f"todo_{neighbours.bob.user_id.replace('-', '')}_{'s' * 43}"
        with pytest.raises(TodoError) as caught:
            line(AddTask(title="x"), token=secret)
        assert "ssss" not in f"{caught.value} {caught.value.hint} {caught.value.extra} {caught.value.__cause__}"
