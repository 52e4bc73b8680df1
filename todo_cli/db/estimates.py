"""What the planner knows about the columns: shares that are stated here, and no value of any row.

Postgres compares a user's constants with collected statistics, whatever row-level security hides, and EXPLAIN prints the
estimate. The columns therefore have STATISTICS 0. Without any statistics the planner would expect one row of a space
with thousands of tasks, so each column gets a stated number of distinct values and a share of nulls. They are the same
in every database, and the estimate is the same for every constant.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, Column, Connection, text

from todo_cli.db.tables.columns import metadata

ROWS_PER_SPACE = 10_000
ROWS_PER_SPACE_OF_SMALL_TABLES = 10
SMALL_TABLES = frozenset(
    {
        "buckets",
        "channels",
        "devices",
        "failures",
        "invitations",
        "members",
        "passwords",
        "plans",
        "preferences",
        "proposals",
        "recent_requests",
        "recent_usage",
        "space_invitations",
        "tokens",
        "views",
    }
)
"""They have a few rows for each space or user. If the planner took them for large tables, it would expect that most of
the members match, and read those of all spaces to find one."""
NULL_SHARE = 0.9  # of a column that may be null

# Distinct values of a column that names no owner; a negative number is a share of the table's rows. Other columns
# count as unique.
DISTINCT = {
    "number": ROWS_PER_SPACE,
    "seq": ROWS_PER_SPACE,
    "rev": ROWS_PER_SPACE,
    "status": 2,
    "priority": 4,
    "project": 5,
    "tag": 1000,
    "conversation_id": -0.01,
    "turn_id": -0.1,
    "role": 4,
    "state": 4,
    "verb": 20,
}

_CAN_PLACE = text("""
SELECT CASE
         WHEN current_setting('server_version_num')::int >= 180000 THEN 'function'
         WHEN (SELECT rolsuper FROM pg_roles WHERE rolname = CURRENT_USER) THEN 'table'
       END""")

_CLEAR_BY_FUNCTION = text("""
SELECT pg_clear_attribute_stats(schemaname, tablename, attname, inherited)
  FROM pg_stats
 WHERE schemaname = 'todo' AND tablename <> 'alembic_version'""")

_PLACE_BY_FUNCTION = text("""
SELECT pg_restore_attribute_stats(
         'schemaname', 'todo', 'relname', c.relation, 'attname', c.name, 'inherited', false,
         'null_frac', c.null_share, 'avg_width', 16, 'n_distinct', c.n_distinct)
  FROM unnest(:tables ::text[], :columns ::text[], :null_shares ::real[], :distinct ::real[])
       AS c(relation, name, null_share, n_distinct)""")

_CLEAR_TABLE = text("""
DELETE FROM pg_statistic s
 USING pg_class c
 WHERE c.oid = s.starelid AND c.relnamespace = 'todo'::regnamespace""")

_PLACE_IN_TABLE = text("""
INSERT INTO pg_statistic (
    starelid, staattnum, stainherit, stanullfrac, stawidth, stadistinct,
    stakind1, stakind2, stakind3, stakind4, stakind5, staop1, staop2, staop3, staop4, staop5,
    stacoll1, stacoll2, stacoll3, stacoll4, stacoll5)
SELECT a.attrelid, a.attnum, false, c.null_share, 16, c.n_distinct,
       0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
  FROM unnest(:tables ::text[], :columns ::text[], :null_shares ::real[], :distinct ::real[])
       AS c(relation, name, null_share, n_distinct)
  JOIN pg_attribute a ON a.attrelid = ('todo.' || c.relation)::regclass AND a.attname = c.name""")

_VALUES = text("""
SELECT format('%s.%s.%s', schemaname, tablename, attname)
  FROM pg_stats
 WHERE schemaname = 'todo' AND tablename <> 'alembic_version'
   AND (most_common_freqs IS NOT NULL OR histogram_bounds IS NOT NULL
     OR most_common_elem_freqs IS NOT NULL OR correlation IS NOT NULL)
 ORDER BY 1""")


def place_estimates(connection: Connection) -> None:
    """Replace all statistics on the schema's columns by the stated ones."""
    columns = [column for table in metadata.sorted_tables for column in table.columns]
    values = {
        "tables": [column.table.name for column in columns],
        "columns": [column.name for column in columns],
        "null_shares": [NULL_SHARE if column.nullable else 0.0 for column in columns],
        "distinct": [_count_distinct(column) for column in columns],
    }
    way = connection.scalar(_CAN_PLACE)
    if way == "function":
        connection.execute(_CLEAR_BY_FUNCTION)
        connection.execute(_PLACE_BY_FUNCTION, values)
    elif way == "table":
        connection.execute(_CLEAR_TABLE)
        connection.execute(_PLACE_IN_TABLE, values)


def _count_distinct(column: Column[Any]) -> float:
    if column.name in ("space_id", "user_id"):
        return _count_distinct_owners(column)
    return float(DISTINCT.get(column.name, 2 if isinstance(column.type, Boolean) else -1))


def _count_distinct_owners(column: Column[Any]) -> float:
    if [key.name for key in column.table.primary_key] == [column.name]:
        return -1.0
    return -1 / (ROWS_PER_SPACE_OF_SMALL_TABLES if column.table.name in SMALL_TABLES else ROWS_PER_SPACE)


def find_values(connection: Connection) -> list[str]:
    """Return a line for each column of which statistics with values are stored."""
    return [f"the planner has values of {name}; dump and restore the database" for name in connection.scalars(_VALUES)]
