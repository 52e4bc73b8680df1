"""The planner's estimates, which EXPLAIN prints, are the same for another user's value and for any other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from tests.conftest import Database, _copy
from tests.support.connections import Raw, signed
from tests.support.many_users import crowd
from todo_cli.db.migrate import differences, migrate
from todo_cli.local_postgres.cluster import LocalPostgres

CHAT = """
INSERT INTO todo.conversations (space_id, user_id, id, number, title, model)
SELECT id, id, md5('c' || n)::uuid, n, 'talk ' || n, 'model ' || n % 3 FROM todo.users, generate_series(1, 200) n WHERE name = 'me';
INSERT INTO todo.turns (space_id, user_id, id, conversation_id, runner, lease_until, asked, usage, error)
SELECT space_id, user_id, id, id, id, now(), 1, '{"n": 1}', '{"n": 2}' FROM todo.conversations;
INSERT INTO todo.messages (space_id, user_id, conversation_id, seq, turn_id, attempt, role, content, tokens, model, usage)
SELECT space_id, user_id, id, 1, id, 1, 'user', 'secret ' || number, number, 'model', '{"n": 3}' FROM todo.conversations;
INSERT INTO todo.events (space_id, user_id, turn_id, n, attempt, after, batch)
SELECT space_id, user_id, id, 1, 1, 1, '["event"]' FROM todo.conversations;
INSERT INTO todo.comments (space_id, user_id, number, id, text)
SELECT space_id, space_id, number, id, 'comment ' || number FROM todo.tasks;
INSERT INTO todo.links SELECT space_id, number, number + 1 FROM todo.tasks WHERE number < 100;
INSERT INTO todo.views (space_id, user_id, name, filter, sort)
SELECT id, id, 'view ' || n, '#project' || n, 'due' FROM todo.users, generate_series(1, 200) n;
INSERT INTO todo.plans (space_id, user_id, token_id, id, verb, arguments, targets, differences, expires_at)
SELECT id, id, id, md5('p' || n)::uuid, 'verb ' || n, '{"n": 4}', '{"n": 5}', '{"n": 6}', now()
  FROM todo.users, generate_series(1, 200) n WHERE name = 'me';
UPDATE todo.tasks SET note = 'note ' || number, defer_on = due_on, scheduled_on = due_on, started_at = now(), claimed_by = 'me';
"""

# values that no row has
ABSENT = {
    "text": "absent",
    "uuid": "0e0e0e0e-0e0e-4e0e-8e0e-0e0e0e0e0e0e",
    "bytea": r"\x0e",
    "boolean": "true",
    "date": "2031-05-05",
    "timestamp with time zone": "2031-05-05 05:05:05+00",
    "jsonb": '{"absent": 1}',
    "text[]": "{absent}",
}
READABLE = """
SELECT c.relname, a.attname, format_type(a.atttypid, NULL)
  FROM pg_attribute a
  JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'todo'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND a.attnum > 0 AND NOT a.attisdropped
   AND (has_column_privilege('todo_person', a.attrelid, a.attnum, 'SELECT')
     OR has_column_privilege('todo_server', a.attrelid, a.attnum, 'SELECT')
     OR has_column_privilege('todo_worker', a.attrelid, a.attnum, 'SELECT'))
 ORDER BY 1, 2"""


class Column(NamedTuple):
    """A column that some client role may read."""

    table: str
    name: str
    type: str


class Probed(NamedTuple):
    """A database of other users, analyzed by its owner, and the connection of a user who shares nothing with them."""

    database: Database
    stranger: Raw
    columns: list[Column]

    def estimate(self, column: Column, comparison: str, value: str) -> int:
        """Return the rows that the planner expects: a huge join makes small shares visible."""
        query = sql.SQL(
            "EXPLAIN (FORMAT JSON) SELECT FROM todo.{} t, generate_series(1, 1000000000) AS g"
            " WHERE t.{} {} {}::{} OR g < -5"
        ).format(
            sql.Identifier(column.table),
            sql.Identifier(column.name),
            sql.SQL(comparison),  # type: ignore[arg-type]
            sql.Literal(value),
            sql.SQL(column.type),  # type: ignore[arg-type]
        )
        row = self.stranger.execute(query).fetchone()
        assert row is not None
        plan: dict[str, Any] = row[0][0]["Plan"]
        return int(plan["Plan Rows"])

    def stored_value(self, column: Column) -> str | None:
        """Return a value of somebody's, None where no row has one."""
        query = (
            f'SELECT "{column.name}"::text FROM todo.{column.table} WHERE "{column.name}" IS NOT NULL LIMIT 1 OFFSET 50'
        )
        rows = self.database.execute(query) or self.database.execute(query.replace("OFFSET 50", ""))
        return rows[0][0] if rows else None


@pytest.fixture(scope="module")
def probed(postgres: LocalPostgres, template: str) -> Iterator[Probed]:
    for database in _copy(postgres, template):
        crowd(database, 3, 300)
        with psycopg.connect(database.owner_url, autocommit=True) as connection:
            connection.execute(CHAT)
            connection.execute("ANALYZE")
            columns = [Column(*row) for row in connection.execute(READABLE)]
        with closing(signed(database.person())) as stranger:
            yield Probed(database, stranger, columns)


def test_estimate_of_each_readable_column_is_the_same_for_another_users_value_and_an_absent_one(probed: Probed) -> None:
    assert len(probed.columns) > 100
    stored = {column: value for column in probed.columns if (value := probed.stored_value(column)) is not None}
    assert len(stored) > 90
    telling = {}
    for column, value in stored.items():
        for comparison in ("=", "<>", "<", ">="):
            estimates = {
                probed.estimate(column, comparison, tried) for tried in (value, ABSENT.get(column.type, "9876"))
            }
            if len(estimates) > 1:
                telling[f"{column.table}.{column.name} {comparison}"] = estimates
    assert telling == {}


def test_analyze_stores_no_values_of_any_column_or_index(probed: Probed) -> None:
    """Columns of all tables, readable or not, expressions of indexes, and extended statistics."""
    targets = """SELECT a.attrelid::regclass::text, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
      WHERE c.relnamespace = 'todo'::regnamespace AND c.relname <> 'alembic_version' AND a.attnum > 0 AND NOT a.attisdropped
        AND (c.relkind IN ('r', 'p', 'm') OR c.relkind = 'i' AND EXISTS (
          SELECT FROM pg_index i WHERE i.indexrelid = c.oid AND (i.indkey::int2[])[a.attnum - 1] = 0))
        AND a.attstattarget IS DISTINCT FROM 0"""
    values = """SELECT s.starelid::regclass::text, s.staattnum FROM pg_statistic s JOIN pg_class c ON c.oid = s.starelid
      WHERE c.relnamespace = 'todo'::regnamespace AND c.relname <> 'alembic_version'
        AND (s.stakind1 <> 0 OR s.stakind2 <> 0 OR s.stakind3 <> 0 OR s.stakind4 <> 0 OR s.stakind5 <> 0)"""
    extended = "SELECT stxname FROM pg_statistic_ext WHERE stxnamespace = 'todo'::regnamespace"
    for query in (targets, values, extended):
        assert probed.database.execute(query) == []


def test_migrate_over_collected_statistics_removes_them(fresh_db: Database) -> None:
    """A database of an older release has them, and so has one that was upgraded together with its Postgres."""
    crowd(fresh_db, 2, 300)
    fresh_db.execute("ALTER TABLE todo.tasks ALTER COLUMN title SET STATISTICS 100")
    fresh_db.execute("ANALYZE todo.tasks (title)")
    assert "the planner has values of todo.tasks.title" in json.dumps(differences(fresh_db.owner_url))
    migrate(fresh_db.owner_url)
    assert differences(fresh_db.owner_url) == []
