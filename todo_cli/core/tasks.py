"""Tasks: adding, looking, changing. Every change goes through `rewrite`, so there is one rule for all."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec
from msgspec import UNSET

from todo_cli.contract import tasks as ask
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import Changed, Task
from todo_cli.contract.wire import decode
from todo_cli.core import words
from todo_cli.core.images import image, tags_of
from todo_cli.core.journal import OLD, key_reused, stamp
from todo_cli.core.rewrite import rewrite
from todo_cli.core.rules import Rules
from todo_cli.db.connect import Tx
from todo_cli.db.sql import Sql
from todo_cli.errors import Invalid, NotFound

ADD = Sql(f"""
WITH {OLD},
new AS MATERIALIZED (SELECT * FROM ROWS FROM (jsonb_to_recordset(%(tasks)s::jsonb) AS (
    id uuid, title text, note text, priority smallint, project text, due_on date, due_at timestamptz, tags text[]))
    WITH ORDINALITY AS n(id, title, note, priority, project, due_on, due_at, tags, place)),
tick AS (UPDATE todo.spaces SET seq = seq + 1, next_number = next_number + %(count)s::int
    WHERE id = %(space)s::uuid AND NOT EXISTS (SELECT FROM old)
    RETURNING seq, next_number - %(count)s::int - 1 AS last, clock_timestamp() AS moment),
made AS (INSERT INTO todo.tasks (space_id, number, id, title, note, priority, project, due_on, due_at, created_at, updated_at, rev)
    SELECT %(space)s::uuid, last + place, id, title, note, coalesce(priority, 4), project, due_on, due_at, moment, moment, seq
    FROM tick, new RETURNING *),
tagged AS (INSERT INTO todo.task_tags (space_id, number, tag)
    SELECT %(space)s::uuid, last + place, unnest(tags) FROM tick, new),
images AS (SELECT jsonb_agg({image("made", "new.tags")} ORDER BY made.number) AS after FROM made JOIN new USING (id)),
kept AS (INSERT INTO todo.changes (space_id, seq, key, request_hash, verb, request, before, after, group_id, turn_id)
    SELECT %(space)s::uuid, tick.seq, %(key)s, %(hash)s::bytea, %(verb)s, %(request)s::jsonb, '[]', images.after,
           coalesce(%(group)s::uuid, %(within)s::uuid), %(within)s::uuid FROM tick, images RETURNING seq, after)
SELECT json_build_object('same', true, 'new', true, 'seq', seq, 'tasks', after)::text FROM kept
UNION ALL SELECT json_build_object('same', same, 'new', false, 'seq', seq, 'tasks', after)::text FROM old
""")

SHOW = Sql(f"""SELECT {image("t", tags_of("t"), build="json_build_object")}::text
FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint""")


class _Added(msgspec.Struct):
    same: bool
    new: bool
    seq: int
    tasks: tuple[Task, ...]


async def add_task(tx: Tx, it: ask.AddTask) -> Task:
    """One task; a repeated key answers with the task it made, `new` False."""
    row = await _row(tx, it)
    added = await _add(tx, it, [row], None)
    return msgspec.structs.replace(added.tasks[0], new=added.new)


async def add_tasks(tx: Tx, it: ask.AddTasks) -> Changed:
    """Several, all or none, in their order."""
    rows = [await _row(tx, task) for task in it.tasks]
    added = await _add(tx, it, rows, it.group)
    return Changed(tasks=added.tasks, seq=added.seq, new=added.new)


async def _add(tx: Tx, it: ask.AddTask | ask.AddTasks, rows: list[dict[str, Any]], group: str | None) -> _Added:
    data = msgspec.json.encode(rows).decode()
    text = await tx.answer(ADD, **stamp(it), tasks=data, count=len(rows), group=group)
    added = decode(text or "", _Added)
    if not added.same:
        raise key_reused(tx)
    return added


async def _row(tx: Tx, task: ask.AddTask | ask.NewTask) -> dict[str, Any]:
    when = await words.due(tx, task.due) if task.due else {}
    return when | {
        "id": new_id(),
        "title": words.line("title", task.title),
        "note": words.storable("note", task.note) if task.note else None,
        "priority": task.priority,
        "project": words.project(task.project) if task.project else None,
        "tags": _tags(task.tags),
    }


def _tags(given: tuple[str, ...]) -> list[str]:
    return sorted({words.tag(tag) for tag in given})


async def show_task(tx: Tx, it: ask.ShowTask) -> Task:
    """One task whole, deleted ones too."""
    text = await tx.answer(SHOW, number=it.number)
    if text is None:
        raise NotFound(f"there is no task #{it.number}")
    return decode(text, Task)


async def complete_tasks(tx: Tx, it: ask.CompleteTasks) -> Changed:
    """Done stays done, with its first time of completion."""
    return await rewrite(tx, it, {"status": "done"})


async def reopen_tasks(tx: Tx, it: ask.ReopenTasks) -> Changed:
    """Open again; an open task stays as it is."""
    return await rewrite(tx, it, {"status": "open"})


async def delete_tasks(tx: Tx, it: ask.DeleteTasks) -> Changed:
    """Into the bin; a task that is there already stays."""
    return await rewrite(tx, it, {"status": "deleted"}, bin_too=True)


async def restore_tasks(tx: Tx, it: ask.RestoreTasks) -> Changed:
    """Out of the bin, open or done as it was; a task that is not there stays as it is."""
    return await rewrite(tx, it, {"restore": True}, bin_too=True)


async def edit_tasks(tx: Tx, it: ask.EditTasks) -> Changed:
    """Fields left out stay, null clears."""
    patch: dict[str, Any] = {"add_tags": _tags(it.add_tags), "remove_tags": _tags(it.remove_tags)}
    if it.title is not UNSET:
        patch["title"] = words.line("title", it.title)
    if it.note is not UNSET:
        patch["note"] = words.storable("note", it.note) if it.note else None
    if it.due is not UNSET:
        patch |= await words.due(tx, it.due) if it.due else {"due_on": None, "due_at": None}
    if it.project is not UNSET:
        patch["project"] = words.project(it.project) if it.project else None
    if it.priority is not UNSET:
        patch["priority"] = it.priority
    if it.tags is not UNSET:
        patch["tags"] = _tags(it.tags)
    if patch == {"add_tags": [], "remove_tags": []}:
        _nothing()
    return await rewrite(tx, it, patch)


def _nothing() -> NoReturn:
    raise Invalid("nothing to change was given", hint="for example: todo edit 12 --due tomorrow")


HANDLERS: Rules = {
    ask.AddTask: add_task,
    ask.AddTasks: add_tasks,
    ask.ShowTask: show_task,
    ask.CompleteTasks: complete_tasks,
    ask.ReopenTasks: reopen_tasks,
    ask.EditTasks: edit_tasks,
    ask.DeleteTasks: delete_tasks,
    ask.RestoreTasks: restore_tasks,
}
