"""A database with many people in it, made by a few statements, and what a Request touches in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg.sql import Literal as SqlLiteral

from tests.conftest import Database, Person
from tests.support.connections import Line
from todo_cli.contract.base import Caller, Request, Secret
from todo_cli.core.dispatch import handle
from todo_cli.db.sign_in import ENTER
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.db.transaction import BEGIN, COMMIT, ROLLBACK, Transaction

OTHERS = """
INSERT INTO todo.users (id, name) SELECT md5('u' || u)::uuid, 'user' || u FROM generate_series(2, {people}) u;
INSERT INTO todo.spaces (id, name) SELECT id, name FROM todo.users WHERE name LIKE 'user%';
INSERT INTO todo.members (space_id, user_id, role) SELECT id, id, 'owner' FROM todo.users WHERE name LIKE 'user%';
INSERT INTO todo.tokens (user_id, id, name, hash, scopes) SELECT id, id, 'first', sha256(name::bytea), '{{all}}'
  FROM todo.users WHERE name LIKE 'user%';
INSERT INTO todo.preferences (user_id, timezone) SELECT id, 'UTC' FROM todo.users WHERE name LIKE 'user%';
"""

# number after number, so that everybody's rows lie all over the tables, as they do after years
TASKS = """
INSERT INTO todo.tasks (space_id, number, id, title, status, priority, project, due_on, created_at, updated_at, rev, completed_at)
SELECT s.id, n, md5(s.id::text || n)::uuid, 'Task ' || n || ' with a title of usual length',
       CASE WHEN n % 5 = 0 THEN 'done' ELSE 'open' END, 1 + n % 4, 'project' || n % 10,
       date '2026-01-01' + n * 7919 % 700, now(), now(), n, CASE WHEN n % 5 = 0 THEN now() END
  FROM generate_series(1, {each}) n CROSS JOIN todo.spaces s;
INSERT INTO todo.task_tags SELECT space_id, number, unnest(ARRAY['all', 'tag' || number % 20]) FROM todo.tasks ORDER BY number;
INSERT INTO todo.changes (space_id, seq, user_id, token_id, way, key, request_hash, verb, request, before, after)
SELECT space_id, number, space_id, space_id, 'api', 'key ' || number, '\\x00', 'AddTask', '{{"title": "x"}}', '[]',
       jsonb_build_array(jsonb_build_object('number', number, 'rev', number, 'title', title, 'status', status, 'tags', '[]'::jsonb))
  FROM todo.tasks ORDER BY number;
UPDATE todo.spaces SET next_number = {each} + 1, seq = {each};
"""

LONG_HISTORY = """
INSERT INTO todo.changes (space_id, seq, user_id, token_id, way, key, request_hash, verb, request, before, after)
SELECT space_id, seq + n, user_id, token_id, way, 'long ' || n, request_hash, verb, request, before, after
  FROM todo.changes CROSS JOIN generate_series(1, {changes}) n WHERE user_id = '{user_id}' AND seq = {each};
UPDATE todo.spaces SET seq = {each} + {changes} WHERE id = '{user_id}';
"""


def crowd(database: Database, people: int, each: int, changes: int = 0) -> Person:
    """Add people with that many tasks each; return one of them, who has that many changes more."""
    me = database.person("me")
    script = (OTHERS + TASKS + LONG_HISTORY).format(people=people, each=each, changes=changes, user_id=me.user_id)
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute(script.encode())
        connection.execute("VACUUM ANALYZE")
    return me


class Touched(NamedTuple):
    """Pages read (or found in memory), how often an index was descended, and the plan's outline."""

    pages: int
    descents: int
    plan: str


class Explaining(Transaction):
    """A transaction that explains each of a rule's statements, runs it, and leaves nothing behind."""

    found: list[Touched]
    plan_mode: Literal["force_custom_plan", "force_generic_plan"]

    async def _send(self, calls: Sequence[StatementCall]) -> list[str | None]:
        rules = [(sql, values) for sql, values in calls if sql not in (BEGIN, COMMIT, ROLLBACK, ENTER)]
        for sql, values in rules:
            self.found.append(await self._explained(sql, self.values | values))
        if not rules and any(sql is ENTER for sql, _ in calls):  # to learn the time
            return await super()._send([(sql, values) for sql, values in calls if sql is ENTER])
        texts = iter(await super()._send(rules) if rules else [])
        return [next(texts) if (sql, values) in rules else None for sql, values in calls]

    async def _explained(self, sql: Sql, given: dict[str, Any]) -> Touched:
        # EXPLAIN of a statement with parameters plans for these values; only EXECUTE obeys plan_cache_mode
        await self._connection.execute(f"SET LOCAL plan_cache_mode = {self.plan_mode}".encode())
        await self._connection.execute(b"PREPARE explained AS " + sql.text.encode(), prepare=False)
        literals = ", ".join(SqlLiteral(value).as_string(self._connection) for value in sql.values(given))
        execute = f"EXECUTE explained ({literals})" if literals else "EXECUTE explained"
        query = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {execute}".encode()
        runs = []
        for _ in range(2):  # the first fills the session's caches of the catalogue
            await self._connection.execute("SAVEPOINT look")
            row = await (await self._connection.execute(query, prepare=False)).fetchone()
            await self._connection.execute("ROLLBACK TO look")
            assert row is not None
            plan = row[0][0]["Plan"]
            pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            runs.append(Touched(pages, _descents(plan), _outline(plan)))
        await self._connection.execute(b"DEALLOCATE explained")
        return min(runs)


def _descents(plan: dict[str, Any]) -> int:
    own = plan["Actual Loops"] if "Index" in plan["Node Type"] else 0
    if plan["Node Type"] == "ModifyTable":
        own = 8  # a written row goes into every index of its table, and what it refers to is looked up
    elif plan.get("Subplan Name", "").startswith("InitPlan"):
        # a policy looks the token, its user and the membership up: a page each where one page holds all, else three
        own = 3 * 2 * plan["Actual Loops"]
    return int(own) + sum(_descents(part) for part in plan.get("Plans", ()))


def _outline(plan: dict[str, Any], depth: int = 0) -> str:
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    names = [plan.get(name, "") for name in ("Node Type", "Subplan Name", "Relation Name", "Index Name", "Actual Rows")]
    below = "".join(_outline(part, depth + 1) for part in plan.get("Plans", ()))
    return f"{'  ' * depth}{pages} pages: {' '.join(map(str, names))}\n{below}" if pages else ""


_COUNT_WHOLE_READS = b"""SELECT relname, seq_scan FROM pg_stat_xact_user_tables
 WHERE schemaname = 'todo' AND relname IN ('users', 'members', 'tokens', 'preferences')"""


async def _read_whole(line: Line, request: Request[Any]) -> list[str]:
    connection = line.connection
    caller = Caller(token=Secret(line.who.token), zone="UTC", way="test", key="a new key")
    tx = Transaction(connection, caller, type(request))
    await connection.execute("BEGIN")
    try:
        earlier = dict(await (await connection.execute(_COUNT_WHOLE_READS)).fetchall())
        await handle(tx.inner(type(request), "a new key", enter=True), request)
        counts = await (await connection.execute(_COUNT_WHOLE_READS)).fetchall()
        return [name for name, count in counts if count > earlier.get(name, 0)]
    finally:
        await connection.execute("ROLLBACK")


def read_whole(line: Line, request: Request[Any]) -> list[str]:
    """Return the tables of users that signing in and the request read from end to end."""
    return line.runner.run(_read_whole(line, request))


async def _touched(line: Line, request: Request[Any], *, generic: bool) -> Touched:
    caller = Caller(token=Secret(line.who.token), zone="UTC", way="test", key="a new key")
    tx = Explaining(line.connection, caller, type(request))
    tx.plan_mode = "force_generic_plan" if generic else "force_custom_plan"
    tx.found = []
    await line.connection.execute("BEGIN")
    try:
        await line.connection.execute(ENTER.text, ENTER.values(tx.values))
        await handle(tx, request)
    finally:
        await line.connection.execute("ROLLBACK")
    return Touched(
        sum(one.pages for one in tx.found),
        sum(one.descents for one in tx.found),
        "\n".join(one.plan for one in tx.found),
    )


def touched(line: Line, request: Request[Any], *, generic: bool = False) -> Touched:
    """Count the pages that a request's own statements touch, as its caller.

    Sign-in is not counted, the look-ups of policies are. `generic`: by the plan that serves any values.
    """
    return line.runner.run(_touched(line, request, generic=generic))
