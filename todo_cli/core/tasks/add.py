"""Adding tasks: one statement for one or many, all or none."""

from __future__ import annotations

from typing import Any, LiteralString

import msgspec
from msgspec import UNSET

from todo_cli.contract import tasks as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import Changed, Task
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import OLD, key_reused, stamp
from todo_cli.core.tasks import cycle_checks_sql, insert_sql, task_input
from todo_cli.core.tasks.snapshot_sql import image, new_image
from todo_cli.core.tasks.update_result import Refs, untied
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction


def _adding(*, deep: bool) -> Sql:
    """The statement in one of two forms: what few tasks have stands only in the deep one, which costs more to plan."""
    columns: LiteralString = "id, title, note, priority, project, due_on, due_at"
    new: LiteralString = f"""new AS MATERIALIZED (SELECT * FROM ROWS FROM (jsonb_to_recordset(%(tasks)s::jsonb) AS (
    id uuid, title text, note text, priority smallint, project text, due_on date, due_at timestamptz, tags text[]))
    WITH ORDINALITY AS n({columns}, tags, place))"""
    made: LiteralString = f"""made AS (INSERT INTO todo.tasks (space_id, number, {columns}, created_at, updated_at, rev)
    SELECT %(space)s::uuid, last + place, id, title, note, coalesce(priority, 4), project, due_on, due_at, now, now, seq
    FROM tick, moment, new RETURNING *),
new_tagged AS (INSERT INTO todo.task_tags (space_id, number, tag)
    SELECT %(space)s::uuid, last + place, unnest(tags) FROM tick, new)"""
    after: LiteralString = new_image("made", "new.tags")
    free: LiteralString = ""
    refusal: LiteralString = ""
    if deep:
        new = f"{insert_sql.given('new', '%(tasks)s')}, {cycle_checks_sql.ABOVE}"
        made = f"""{insert_sql.stored("new", "now")},
linked AS (INSERT INTO todo.links (space_id, number, after)
    SELECT %(space)s::uuid, last + place, unnest(links) FROM tick, new)"""
        after = image("made", "new.tags", links="coalesce(new.links, '{}')")
        free = " AND EXISTS (SELECT FROM refused WHERE coalesce(unknown, gone, buried) IS NULL)"
        refusal = """
UNION ALL SELECT json_build_object('same', true, 'unknown', unknown, 'gone', gone, 'buried', buried)::text FROM refused
  WHERE NOT EXISTS (SELECT FROM old) AND coalesce(unknown, gone, buried) IS NOT NULL"""
    return Sql(f"""
WITH RECURSIVE {OLD},
moment AS MATERIALIZED (SELECT clock_timestamp() AS now),
{new},
tick AS (UPDATE todo.spaces SET seq = seq + 1, next_number = next_number + %(count)s::int
    WHERE id = %(space)s::uuid AND NOT EXISTS (SELECT FROM old){free}
    RETURNING seq, next_number - %(count)s::int - 1 AS last),
{made},
images AS (SELECT jsonb_agg({after} ORDER BY made.number) AS after FROM made JOIN new USING (id)),
kept AS (INSERT INTO todo.changes (space_id, seq, key, request_hash, verb, request, before, after, group_id, turn_id)
    SELECT %(space)s::uuid, tick.seq, %(key)s, %(hash)s::bytea, %(verb)s, %(request)s::jsonb, '[]', images.after,
           coalesce(%(group)s::uuid, %(within)s::uuid), %(within)s::uuid FROM tick, images RETURNING seq, after)
SELECT json_build_object('same', true, 'new', true, 'seq', seq, 'tasks', after)::text FROM kept
UNION ALL SELECT json_build_object('same', same, 'new', false, 'seq', seq, 'tasks', after)::text FROM old{refusal}
""")


ADD, ADD_DEEP = _adding(deep=False), _adding(deep=True)


class _Added(Refs):
    same: bool = True
    new: bool = False
    seq: int = 0
    tasks: tuple[Task, ...] = ()


@handler(ask.AddTask)
async def add_task(tx: Transaction, request: ask.AddTask) -> Task:
    """One task; a repeated key answers with the task it made, `new` False."""
    row = await task_input.row(tx, request, parse=request.parse is True)
    added = await _add(tx, request, [row], None)
    return msgspec.structs.replace(added.tasks[0], new=added.new)


@handler(ask.AddTasks)
async def add_tasks(tx: Transaction, request: ask.AddTasks) -> Changed:
    """Several, all or none, in their order."""
    rows = [await task_input.row(tx, task, parse=request.parse is True) for task in request.tasks]
    added = await _add(tx, request, rows, request.group)
    return Changed(tasks=added.tasks, seq=added.seq, new=added.new)


async def _add(
    tx: Transaction, request: ask.AddTask | ask.AddTasks, rows: list[dict[str, Any]], group: str | None
) -> _Added:
    for row in rows:
        row["id"] = new_id()
        if row.get("repeat"):
            row["series"] = row["id"]
    data = msgspec.json.encode(rows).decode()
    # a key that was used before there was `parse` is still the same request
    kept = stamp(msgspec.structs.replace(request, parse=UNSET))
    sql = ADD_DEEP if any(not task_input.RARE.isdisjoint(row) for row in rows) else ADD
    added = decode(await tx.finish(sql, **kept, tasks=data, count=len(rows), group=group) or "", _Added)
    if not added.same:
        raise key_reused(tx)
    untied(added, "added")
    return added
