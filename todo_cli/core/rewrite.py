"""The one statement that changes tasks: patches in, images before and after into the journal.

A patch is an object a task: a field that stands in it is set (null clears), one that does not stays.
`add_tags` and `remove_tags` change the set; `restore` takes out of the bin. All tasks or none.
"""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.tasks import Changed, OnTasks, Task
from todo_cli.contract.wire import decode
from todo_cli.core.images import image, instant, tags_of
from todo_cli.core.journal import FIELDS, OLD, TICK, key_reused, stamp
from todo_cli.db.connect import Tx
from todo_cli.db.sql import Sql
from todo_cli.errors import Conflict, NotFound

REWRITE = Sql(f"""
WITH {OLD},
moment AS MATERIALIZED (SELECT clock_timestamp() AS now),
want AS MATERIALIZED (SELECT (p ->> 'number')::bigint AS number, p, place
    FROM jsonb_array_elements(%(patches)s::jsonb) WITH ORDINALITY AS x(p, place)),
cur AS MATERIALIZED (SELECT t.*, p, place, {tags_of("t")} AS tags FROM want JOIN todo.tasks t
    ON t.space_id = %(space)s::uuid AND t.number = want.number),
set AS MATERIALIZED (SELECT space_id, number, id, created_at, place, rev, updated_at, completed_at, deleted_at,
    CASE WHEN p ? 'title' THEN p ->> 'title' ELSE title END AS title,
    CASE WHEN p ? 'note' THEN p ->> 'note' ELSE note END AS note,
    CASE WHEN p ? 'priority' THEN coalesce((p ->> 'priority')::smallint, 4::smallint) ELSE priority END AS priority,
    CASE WHEN p ? 'project' THEN p ->> 'project' ELSE project END AS project,
    CASE WHEN p ? 'due_on' THEN (p ->> 'due_on')::date ELSE due_on END AS due_on,
    CASE WHEN p ? 'due_at' THEN (p ->> 'due_at')::timestamptz ELSE due_at END AS due_at,
    CASE WHEN p ? 'status' THEN p ->> 'status'
         WHEN p ? 'restore' AND status = 'deleted' THEN CASE WHEN completed_at IS NULL THEN 'open' ELSE 'done' END
         ELSE status END AS status,
    CASE WHEN p ? 'completed_at' THEN (p ->> 'completed_at')::timestamptz
         WHEN p ->> 'status' = 'done' THEN coalesce(completed_at, now)
         WHEN p ->> 'status' = 'open' THEN NULL ELSE completed_at END AS completed,
    ARRAY(SELECT DISTINCT tag COLLATE "C" AS tag FROM (
        SELECT unnest(CASE WHEN p ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(p -> 'tags')) ELSE tags END) AS tag
        UNION ALL SELECT jsonb_array_elements_text(coalesce(p -> 'add_tags', '[]'))) AS wished
      WHERE NOT coalesce(p -> 'remove_tags', '[]') ? tag ORDER BY tag) AS tags,
    (title, note, priority, project, due_on, due_at, status, tags) AS was
  FROM cur, moment),
refused AS MATERIALIZED (SELECT
    (SELECT json_agg(number ORDER BY place) FROM want WHERE number NOT IN (SELECT number FROM cur)) AS missing,
    (SELECT json_agg(number ORDER BY place) FROM cur WHERE status = 'deleted' AND NOT %(bin_too)s::boolean) AS binned,
    (SELECT json_agg(json_build_object('now', {image("cur", "cur.tags")}, 'then', (
          SELECT jsonb_path_query_first(c.after, '$[*] ? (@.number == $n)', jsonb_build_object('n', cur.number))
            FROM todo.changes c WHERE c.space_id = %(space)s::uuid AND c.seq = %(if_rev)s::bigint),
        'by', (SELECT u.name FROM todo.changes c JOIN todo.people() u ON u.id = c.user_id
            WHERE c.space_id = %(space)s::uuid AND c.seq = cur.rev),
        'at', {instant("cur.updated_at")}) ORDER BY place)
      FROM cur WHERE rev <> coalesce(%(if_rev)s::bigint, rev)) AS moved,
    (SELECT json_agg(number ORDER BY place) FROM set WHERE cardinality(tags) > 100) AS overfull),
tick AS ({TICK} AND NOT EXISTS (SELECT FROM old)
    AND EXISTS (SELECT FROM refused WHERE coalesce(missing, binned, moved, overfull) IS NULL) RETURNING seq),
next AS MATERIALIZED (SELECT space_id, number, id, created_at, place, title, note, priority, project, due_on, due_at, status,
    set.tags, changed, CASE WHEN changed THEN tick.seq ELSE rev END AS rev,
    CASE WHEN changed THEN now ELSE updated_at END AS updated_at, completed AS completed_at,
    CASE WHEN status = 'deleted' THEN coalesce(deleted_at, now) END AS deleted_at
  FROM tick, moment, set CROSS JOIN LATERAL (SELECT
    (title, note, priority, project, due_on, due_at, status, set.tags) IS DISTINCT FROM was AS changed) AS x),
written AS (UPDATE todo.tasks t SET title = next.title, note = next.note, priority = next.priority, project = next.project,
    due_on = next.due_on, due_at = next.due_at, status = next.status, rev = next.rev, updated_at = next.updated_at,
    completed_at = next.completed_at, deleted_at = next.deleted_at
  FROM next WHERE t.space_id = %(space)s::uuid AND t.number = next.number AND next.changed),
untagged AS MATERIALIZED (SELECT todo.untag(array_agg(number), array_agg(tag)) IS NULL AS done FROM (
    SELECT cur.number, unnest(cur.tags) AS tag FROM cur EXCEPT SELECT number, unnest(tags) FROM next) AS gone
  WHERE EXISTS (SELECT FROM tick)),
tagged AS (INSERT INTO todo.task_tags (space_id, number, tag)
    SELECT space_id, number, unnest(next.tags) FROM next, untagged WHERE changed AND done IS NOT NULL ON CONFLICT DO NOTHING),
kept AS (INSERT INTO todo.changes (space_id, seq, key, request_hash, verb, request, before, after, undoes, redo, group_id, turn_id)
    SELECT %(space)s::uuid, tick.seq, %(key)s, %(hash)s::bytea, %(verb)s, %(request)s::jsonb,
      (SELECT jsonb_agg({image("cur", "cur.tags")} ORDER BY place) FROM cur),
      (SELECT jsonb_agg({image("next", "next.tags")} ORDER BY place) FROM next),
      %(undoes)s::bigint, %(redo)s::boolean, %(within)s::uuid, %(within)s::uuid FROM tick RETURNING seq, after)
SELECT json_build_object('same', true, 'new', true, 'seq', seq, 'tasks', after)::text FROM kept
UNION ALL SELECT json_build_object('same', same, 'new', false, 'seq', seq, 'tasks', after)::text FROM old
UNION ALL SELECT json_build_object('same', true, 'missing', missing, 'binned', binned, 'moved', moved,
    'overfull', overfull)::text FROM refused
  WHERE NOT EXISTS (SELECT FROM old) AND coalesce(missing, binned, moved, overfull) IS NOT NULL
""")


class _Moved(msgspec.Struct):
    now: dict[str, Any]
    at: str
    by: str | None = None
    then: dict[str, Any] | None = None


class Verdict(msgspec.Struct):
    """What the statement found: the tasks as they are now, or why nothing was done."""

    same: bool
    new: bool = False
    seq: int = 0
    tasks: tuple[Task, ...] = ()
    missing: list[int] | None = None
    binned: list[int] | None = None
    moved: list[_Moved] | None = None
    overfull: list[int] | None = None


def arguments(
    it: Request[Any], patches: list[dict[str, Any]], *, bin_too: bool, if_rev: int | None = None,
    undoes: int | None = None, redo: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """The values of REWRITE."""
    data = msgspec.json.encode(patches).decode()
    marks = {"undoes": undoes, "redo": redo}
    return stamp(it) | marks | {"patches": data, "bin_too": bin_too, "if_rev": if_rev}


async def rewrite(tx: Tx, it: OnTasks, patch: dict[str, Any], *, bin_too: bool = False) -> Changed:
    """Give every named task the patch; raises NotFound, Conflict."""
    patches = [patch | {"number": number} for number in dict.fromkeys(it.numbers)]
    text = await tx.answer(REWRITE, **arguments(it, patches, bin_too=bin_too, if_rev=it.if_rev))
    verdict = judged(tx, decode(text or "", Verdict))
    return Changed(tasks=verdict.tasks, seq=verdict.seq, new=verdict.new)


def judged(tx: Tx, verdict: Verdict) -> Verdict:
    """The verdict, or the error that it stands for."""
    if not verdict.same:
        raise key_reused(tx)
    if verdict.missing:
        raise NotFound(f"there is no task {_named(verdict.missing)}; nothing was changed", numbers=verdict.missing)
    if verdict.binned:
        first = verdict.binned[0]
        raise Conflict(
            f"task {_named(verdict.binned)} is in the bin; nothing was changed", hint=f"first: todo restore {first}"
        )
    if verdict.moved:
        _moved_on(verdict.moved)
    if verdict.overfull:
        raise Conflict(f"task {_named(verdict.overfull)} would have more than 100 tags; nothing was changed")
    return verdict


def _moved_on(moved: list[_Moved]) -> NoReturn:
    first = moved[0]
    was = first.then or {}
    changed = {name: [was.get(name), first.now.get(name)] for name in FIELDS if was.get(name) != first.now.get(name)}
    what = ", ".join(f"{name}: {_shown(a)} → {_shown(b)}" for name, (a, b) in changed.items()) if was else "unknown"
    number, rev = first.now["number"], first.now["rev"]
    raise Conflict(
        f"task #{number} has moved on to rev {rev}, changed by {first.by or 'somebody'} at {first.at} ({what})",
        hint=f"look at it with: todo show {number}",
        number=number, rev=rev, by=first.by, at=first.at, changed=changed,
    )  # fmt: skip


def _shown(value: Any) -> str:
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return "none" if value in (None, []) else text if len(text) <= 60 else text[:57] + "…"


def _named(numbers: list[int]) -> str:
    shown = ", ".join(f"#{number}" for number in numbers[:10])
    return shown if len(numbers) <= 10 else f"{shown} and {len(numbers) - 10} more"
