"""What a person's own login may not do at all, statement by statement: Postgres refuses each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from psycopg import errors, sql

from tests.conftest import Database
from tests.support.connections import Raw, signed

REFUSED = (errors.InsufficientPrivilege,)


@pytest.fixture
def psql(db: Database) -> Iterator[Raw]:
    """Somebody's own login with their own token set."""
    with closing(signed(db.person())) as connection:
        yield connection


REFUSALS = """
SELECT hash FROM todo.tokens
SELECT name FROM todo.tokens ORDER BY hash
SELECT name FROM todo.tokens WHERE hash > ''
SELECT count(*) FROM todo.tokens GROUP BY hash
SELECT t FROM todo.tokens t
SELECT to_jsonb(t) FROM todo.tokens t
INSERT INTO todo.tokens (user_id, id, name, hash, scopes) SELECT user_id, gen_random_uuid(), 'x', sha256('x'), '{all}' FROM todo.tokens RETURNING hash
UPDATE todo.tokens SET revoked_at = now() RETURNING hash
UPDATE todo.tokens SET revoked_at = now() WHERE hash IS NOT NULL
UPDATE todo.tokens SET scopes = '{all,admin}'
UPDATE todo.tokens SET expires_at = NULL
UPDATE todo.tokens SET kind = 'session'
UPDATE todo.tokens SET user_id = todo.current_user_id()
DELETE FROM todo.tokens
COPY todo.tokens TO STDOUT
COPY todo.tasks TO '/tmp/x'
COPY todo.tasks TO PROGRAM 'cat'
COPY todo.tasks FROM '/etc/passwd'
COPY (SELECT 1) TO '/tmp/x'
COPY (SELECT 1) TO PROGRAM 'cat'
TABLE todo.users
UPDATE todo.users SET admin = true
UPDATE todo.users SET login = session_user
UPDATE todo.users SET per_minute = 1000000
UPDATE todo.users SET disabled_at = NULL
DELETE FROM todo.users
INSERT INTO todo.members VALUES (todo.current_user_id(), todo.current_user_id(), 'owner')
UPDATE todo.members SET role = 'owner'
DELETE FROM todo.members
INSERT INTO todo.spaces (id, name) VALUES (gen_random_uuid(), 'x')
UPDATE todo.spaces SET id = gen_random_uuid()
UPDATE todo.spaces SET name = 'x'
DELETE FROM todo.spaces
UPDATE todo.schema SET oldest = 99
INSERT INTO todo.schema VALUES (9, 9)
DELETE FROM todo.schema
UPDATE todo.buckets SET hits = 0
UPDATE todo.recent_requests SET moments = '{}'
DELETE FROM todo.failures
UPDATE todo.changes SET key = 'x'
UPDATE todo.changes SET user_id = todo.current_user_id()
DELETE FROM todo.changes
TRUNCATE todo.changes
TRUNCATE todo.tasks, todo.task_tags
DELETE FROM todo.tasks
DELETE FROM todo.task_tags
DELETE FROM todo.preferences
UPDATE todo.tasks SET space_id = todo.current_user_id()
UPDATE todo.tasks SET number = 7
UPDATE todo.tasks SET id = gen_random_uuid()
UPDATE todo.task_tags SET tag = 'x'
UPDATE todo.preferences SET user_id = todo.current_user_id()
INSERT INTO todo.changes (space_id, seq, request_hash, verb, request, user_id) VALUES (todo.current_user_id(), 9, '', 'x', '{}', gen_random_uuid())
INSERT INTO todo.changes (space_id, seq, request_hash, verb, request, token_id) VALUES (todo.current_user_id(), 9, '', 'x', '{}', gen_random_uuid())
INSERT INTO todo.changes (space_id, seq, request_hash, verb, request, way) VALUES (todo.current_user_id(), 9, '', 'x', '{}', 'api')
INSERT INTO todo.changes (space_id, seq, request_hash, verb, request, at) VALUES (todo.current_user_id(), 9, '', 'x', '{}', '1970-01-01')
SELECT todo.create_user(gen_random_uuid(), 'x', true, gen_random_uuid(), sha256('x'), 'UTC')
SELECT todo.count_failure(todo.current_user_id(), 'x')
SELECT todo.count_request(todo.current_user_id(), 1)
SELECT todo.record_request(todo.current_user_id(), 'user')
CALL todo.limit_request(todo.current_user_id(), 'user', NULL)
SELECT todo.is_admin()
SET ROLE todo_auth
SET ROLE todo_server
SET ROLE todo_worker
SET ROLE todo_owner
SET SESSION AUTHORIZATION todo_auth
SET SESSION AUTHORIZATION todo_server
SET SESSION AUTHORIZATION todo_owner
GRANT todo_server TO todo_person
GRANT todo_person TO todo_worker
CREATE ROLE mallory LOGIN
ALTER ROLE todo_server PASSWORD 'x'
CREATE DATABASE mallory
CREATE SCHEMA mallory
CREATE TABLE public.mine (x int)
CREATE TABLE todo.mine (x int)
CREATE TABLE pg_catalog.mine (x int)
CREATE TEMP TABLE mine (x int)
CREATE TEMP VIEW mine AS SELECT * FROM todo.tasks
CREATE VIEW todo.mine AS SELECT * FROM todo.tasks
CREATE MATERIALIZED VIEW public.mine AS SELECT * FROM todo.tasks
CREATE FUNCTION todo.leak(t text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS 'BEGIN RAISE NOTICE ''%'', t; RETURN true; END'
CREATE FUNCTION public.leak(t text) RETURNS boolean LANGUAGE sql AS 'SELECT true'
CREATE FUNCTION pg_temp.leak(t text) RETURNS boolean LANGUAGE sql AS 'SELECT true'
CREATE OR REPLACE FUNCTION todo.current_user_id() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'
CREATE OPERATOR todo.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)
CREATE TRIGGER mine BEFORE INSERT ON todo.tasks FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()
CREATE RULE mine AS ON INSERT TO todo.tasks DO ALSO NOTHING
CREATE INDEX mine ON todo.tasks (title)
CREATE STATISTICS todo.mine ON status, priority FROM todo.tasks
CREATE POLICY mine ON todo.tasks USING (true)
ALTER TABLE todo.tasks DISABLE ROW LEVEL SECURITY
ALTER TABLE todo.tasks OWNER TO todo_person
ALTER FUNCTION todo.current_user_id() RESET ALL
DROP TABLE todo.tasks
CREATE EXTENSION dblink SCHEMA todo
CREATE EXTENSION postgres_fdw SCHEMA todo
CREATE EXTENSION pg_trgm SCHEMA todo
CREATE FOREIGN DATA WRAPPER mine
CREATE PUBLICATION mine FOR TABLE todo.tasks
CREATE SUBSCRIPTION mine CONNECTION 'host=x' PUBLICATION mine
CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION todo.current_user_id()
CREATE LANGUAGE plpython3u
ALTER SYSTEM SET log_statement = 'all'
SET log_statement = 'all'
SET session_replication_role = replica
LOAD 'auto_explain'
SELECT pg_reload_conf()
SELECT pg_read_file('postgresql.conf')
SELECT pg_ls_dir('.')
SELECT lo_import('/etc/passwd')
SELECT rolpassword FROM pg_authid
SELECT * FROM pg_statistic
SELECT * FROM pg_largeobject
SELECT * FROM pg_user_mapping
CLUSTER todo.tasks USING tasks_pkey
REINDEX TABLE todo.tasks
SELECT pg_create_logical_replication_slot('x', 'test_decoding')
SELECT pg_switch_wal()
""".strip().splitlines()


@pytest.mark.parametrize("statement", REFUSALS)
def test_refused(psql: Raw, statement: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        psql.execute(statement)
    known = isinstance(caught.value, (errors.InsufficientPrivilege, errors.FeatureNotSupported, errors.UndefinedFile))
    assert known or "permission denied" in str(caught.value) or "must be" in str(caught.value), caught.value


def test_another_login_is_not_to_be_had(psql: Raw, db: Database) -> None:
    bob = db.person()
    his = f"todo_{bob.user_id.replace('-', '')}"
    for statement in (
        f"SET ROLE {his}",
        f"SET SESSION AUTHORIZATION {his}",
        f"ALTER ROLE {his} PASSWORD 'x'",
        f"ALTER ROLE {his} SET search_path = 'x'",
        f"GRANT {his} TO todo_person",
    ):
        with pytest.raises(REFUSED):
            psql.execute(statement)
    psql.execute("SET ROLE todo_person")  # her own group: it opens nothing
    assert psql.execute("SELECT count(*) FROM todo.tasks").fetchone() == (0,)
    psql.execute(
        sql.SQL(
            "SELECT set_config('app.token', {0}, false), set_config('app.user', {1}, false),"
            " set_config('app.space', {1}, false)"
        ).format(bob.token, bob.user_id)
    )
    assert psql.execute("SELECT count(*) FROM todo.tasks").fetchone() == (0,)


def test_administration_is_for_administrators(psql: Raw) -> None:
    for call in (
        "add_user(gen_random_uuid(), 'x', true, gen_random_uuid(), sha256('x'), 'UTC')",
        "list_users()",
        "disable_user('x', true)",
    ):
        with pytest.raises(psycopg.Error) as caught:
            psql.execute(f"SELECT todo.{call}")
        assert caught.value.sqlstate == "TD403"
