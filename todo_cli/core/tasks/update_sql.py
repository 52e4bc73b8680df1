"""The one statement that changes tasks: patches in, images before and after into the journal.

A patch is an object a task: a field that stands in it is set (null clears), one that does not stays.
`add_tags` and `remove_tags` change the set, `add_after` and `remove_after` what it waits for; `restore` takes out of the
bin; `start` and `stop` are the clock's; `every` makes it recur. `finish` and `skip` are answered with what is `recurring`,
until the patch tells that its next date was worked out for what was `seen`. `claim` takes for so many seconds, `release`
lets go, what is `if_claimed` must be the caller's. All tasks or none.

It has two forms: parents, links and new occurrences stand only in the `deep` one, which costs more to plan. Either is about
numbers, or about what a filter finds (`selecting`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, LiteralString

import msgspec

from todo_cli.contract.base import Request
from todo_cli.contract.codec import decode
from todo_cli.contract.tasks import Changed, OnTasks
from todo_cli.core.journal import OLD, stamp
from todo_cli.core.tasks import claim_sql, cycle_checks_sql, insert_sql, targets
from todo_cli.core.tasks.patch_sql import COLUMNS, patched
from todo_cli.core.tasks.snapshot_sql import image, instant, links_of, tags_of
from todo_cli.core.tasks.targets import Targets, TargetSql, selected, some
from todo_cli.core.tasks.update_result import Verdict, judged
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction

_CUR: LiteralString = f"""cur AS MATERIALIZED (SELECT t.*, p, place, {tags_of("t")} AS tags, {links_of("t")} AS links,
    coalesce(p ? 'stop' OR p ->> 'status' IN ('done', 'deleted'), false) AS rests
  FROM want JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.number = want.number
   -- said twice, for before the first ANALYZE a join might read the whole space
   AND t.number = ANY (ARRAY(SELECT number FROM want))),"""

_TAGGED: LiteralString = """untagged AS MATERIALIZED (SELECT todo.remove_tags(array_agg(number), array_agg(tag)) IS NULL AS done FROM (
    SELECT cur.number, unnest(cur.tags) AS tag FROM cur EXCEPT SELECT number, unnest(tags) FROM next) AS gone
  WHERE EXISTS (SELECT FROM tick)),
tagged AS (INSERT INTO todo.task_tags (space_id, number, tag)
    SELECT space_id, number, unnest(next.tags) FROM next, untagged WHERE changed AND done IS NOT NULL ON CONFLICT DO NOTHING),"""

_RECURRING: LiteralString = f"""(SELECT json_agg(json_build_object('now', {image("cur", "cur.tags", links="cur.links")},
      'made', m.number, 'status', m.status, 'seen', seen) ORDER BY place)
    FROM cur LEFT JOIN todo.tasks m ON m.space_id = %(space)s::uuid AND m.series = cur.series AND m.occurrence = cur.occurrence + 1
    CROSS JOIN LATERAL (SELECT concat_ws(':', cur.rev, m.number, m.status) AS seen) AS x
   WHERE p ?| '{{finish,skip}}' AND p ->> 'seen' IS DISTINCT FROM seen
     AND (p ? 'seen' OR cur.status = 'open' AND cur.repeat IS NOT NULL))"""

_REFUSED: LiteralString = f"""
    (SELECT json_agg(number ORDER BY place) FROM want WHERE number NOT IN (SELECT number FROM cur)) AS missing,
    (SELECT json_agg(number ORDER BY place) FROM cur
      WHERE status = 'deleted' AND NOT %(bin_too)s::boolean AND NOT p ? 'reborn') AS binned,
    (SELECT json_agg(json_build_object('now', {image("cur", "cur.tags", links="cur.links")}, 'then', (
          SELECT jsonb_path_query_first(c.after, '$[*] ? (@.number == $n)', jsonb_build_object('n', cur.number))
            FROM todo.changes c WHERE c.space_id = %(space)s::uuid AND c.seq = %(if_rev)s::bigint),
        'by', (SELECT u.name FROM todo.changes c JOIN todo.space_members() u ON u.id = c.user_id
            WHERE c.space_id = %(space)s::uuid AND c.seq = cur.rev),
        'at', {instant("cur.updated_at")}) ORDER BY place)
      FROM cur WHERE rev <> coalesce(%(if_rev)s::bigint, rev) AND NOT p ? 'reborn') AS moved,
    (SELECT json_agg(number ORDER BY place) FROM set WHERE cardinality(tags) > 100) AS overfull,
    (SELECT json_agg(number ORDER BY place) FROM cur WHERE status = 'done' AND p ?| '{{start,skip,claim}}') AS closed,
    (SELECT json_agg(number ORDER BY place) FROM cur WHERE repeat IS NULL AND p ? 'skip') AS once,
    {claim_sql.REFUSED},
    {_RECURRING} AS recurring"""

_TOLD: LiteralString = f"""'missing', missing, 'binned', binned, 'moved', moved, 'overfull', overfull, 'closed', closed,
    'once', once, 'recurring', recurring, {claim_sql.TOLD}"""

_FOUND: LiteralString = f"missing, binned, moved, overfull, closed, once, recurring, {claim_sql.NAMES}"

_UNLINKED: LiteralString = """
unlinked AS MATERIALIZED (SELECT todo.remove_links(array_agg(number), array_agg(link)) IS NULL AS done FROM (
    SELECT number, unnest(waited) AS link FROM set EXCEPT SELECT number, unnest(links) FROM set) AS gone
  WHERE EXISTS (SELECT FROM tick)),
linked AS (INSERT INTO todo.links (space_id, number, after)
    SELECT space_id, number, unnest(next.links) FROM next, unlinked WHERE changed AND done IS NOT NULL ON CONFLICT DO NOTHING),"""

_SUBTASKS: LiteralString = """CASE WHEN %(verb)s = 'CompleteTasks' THEN (SELECT count(*) FROM todo.tasks s
    WHERE s.space_id = %(space)s::uuid AND s.parent = ANY (ARRAY(SELECT number FROM want)) AND s.status = 'open'
      AND s.number NOT IN (SELECT number FROM want)) END"""


_NEXT: LiteralString = f"""next AS MATERIALIZED (SELECT space_id, number, id, created_at, place, {COLUMNS}, set.tags, set.links, changed,
    CASE WHEN changed THEN tick.seq ELSE rev END AS rev,
    CASE WHEN changed THEN now ELSE updated_at END AS updated_at, completed AS completed_at,
    CASE WHEN status = 'deleted' THEN coalesce(deleted_at, now) END AS deleted_at,
    {claim_sql.NEXT}
  FROM tick, moment, set CROSS JOIN LATERAL (SELECT ({COLUMNS}, set.tags, set.links) IS DISTINCT FROM was
    OR {claim_sql.CHANGED} AS changed) AS x),"""

_WRITTEN: LiteralString = """written AS (UPDATE todo.tasks t SET title = next.title, note = next.note, priority = next.priority, project = next.project,
    due_on = next.due_on, due_at = next.due_at, status = next.status, parent = next.parent,
    defer_on = next.defer_on, defer_at = next.defer_at, scheduled_on = next.scheduled_on, scheduled_at = next.scheduled_at,
    started_at = next.started_at, tracked = next.tracked, series = next.series, occurrence = next.occurrence,
    repeat = next.repeat, claimed_by = next.claimed_by, claim_token = next.claim_token, claimed_until = next.claimed_until,
    rev = next.rev, updated_at = next.updated_at, completed_at = next.completed_at, deleted_at = next.deleted_at
  FROM next WHERE t.space_id = %(space)s::uuid AND t.number = next.number AND next.changed),"""


@lru_cache(256)
def statement(*, deep: bool, by: TargetSql | None = None) -> Sql:
    """The statement in one of its two forms, about numbers or what is found."""
    want: LiteralString = targets.selected_by(by) if by else targets.NUMBERED
    refusing: LiteralString = targets.refusing(by) if by else ""
    found: LiteralString = f"{_FOUND}, {cycle_checks_sql.FOUND}" if deep else _FOUND
    found = f"{found}, {targets.NAMES}" if by else found
    source: LiteralString = "refused, knotted" if deep else "refused"
    born: LiteralString = f"{insert_sql.given('born', '%(births)s')}, {cycle_checks_sql.NAMED}," if deep else ""
    walks: LiteralString = f"{cycle_checks_sql.WALKS}," if deep else ""
    count: LiteralString = "(SELECT count(*) FROM born)" if deep else "0"
    made: LiteralString = f"{_UNLINKED} {insert_sql.stored('born', 'now')}," if deep else ""
    new: LiteralString = (
        f""" || coalesce((SELECT jsonb_agg({image("made", "born.tags", links="'{}'::bigint[]")} ORDER BY made.number)
      FROM made JOIN born USING (id)), '[]')"""
        if deep
        else ""
    )
    told: LiteralString = f"{_TOLD}, {cycle_checks_sql.TOLD}" if deep else _TOLD
    told = f"{told}, {targets.TOLD}" if by else told
    return Sql(f"""
WITH RECURSIVE {OLD},
moment AS MATERIALIZED (SELECT clock_timestamp() AS now),
{want},
{born}
{_CUR}
{patched(deep=deep)},
{walks}
refused AS MATERIALIZED (SELECT {_REFUSED}{refusing}),
tick AS (UPDATE todo.spaces SET seq = seq + 1, next_number = next_number + {count} WHERE id = %(space)s::uuid
    AND NOT EXISTS (SELECT FROM old) AND EXISTS (SELECT FROM {source} WHERE coalesce({found}) IS NULL)
    RETURNING seq, next_number - {count} - 1 AS last),
{_NEXT}
{_WRITTEN}
{_TAGGED}
{made}
kept AS (INSERT INTO todo.changes (space_id, seq, key, request_hash, verb, request, before, after, undoes, redo, group_id, turn_id)
    SELECT %(space)s::uuid, tick.seq, %(key)s, %(hash)s::bytea, %(verb)s, %(request)s::jsonb,
      (SELECT jsonb_agg({image("cur", "cur.tags", links="cur.links")} ORDER BY place) FROM cur),
      (SELECT jsonb_agg({image("next", "next.tags", links="next.links")} ORDER BY place) FROM next){new},
      %(undoes)s::bigint, %(redo)s::boolean, %(within)s::uuid, %(within)s::uuid FROM tick RETURNING seq, after)
SELECT json_build_object('same', true, 'new', true, 'seq', seq, 'tasks', after, 'open_subtasks', {_SUBTASKS})::text FROM kept
UNION ALL SELECT json_build_object('same', same, 'new', false, 'seq', seq, 'tasks', after)::text FROM old
UNION ALL SELECT json_build_object('same', true, {told})::text FROM {source}
  WHERE NOT EXISTS (SELECT FROM old) AND coalesce({found}) IS NOT NULL
""")


_LINKING = frozenset(("parent", "after", "add_after", "remove_after"))


def form(patches: list[dict[str, Any]], births: list[dict[str, Any]] | None = None, by: Targets | None = None) -> Sql:
    """The form that these patches need."""
    given = [*patches, by.patch] if by else patches
    deep = bool(births) or any(not _LINKING.isdisjoint(patch) for patch in given)
    return statement(deep=deep, by=by.form if by else None)


def arguments(
    request: Request[Any], patches: list[dict[str, Any]], *, bin_too: bool, if_rev: int | None = None,
    undoes: int | None = None, redo: bool = False, births: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The values of the statement."""
    data = msgspec.json.encode(patches).decode()
    marks = {"undoes": undoes, "redo": redo, "births": msgspec.json.encode(births or []).decode()}
    return stamp(request) | marks | {"patches": data, "bin_too": bin_too, "if_rev": if_rev}


async def rewrite(tx: Transaction, request: OnTasks, patch: dict[str, Any], *, bin_too: bool = False) -> Changed:
    """Give every task that is named or found the patch; raises NotFound, Conflict, Invalid."""
    by = await selected(tx, request, patch)
    patches = [] if by else [patch | {"number": number} for number in dict.fromkeys(request.numbers)]
    verdict = await tried(tx, request, patches, bin_too=bin_too, by=by)
    return Changed(tasks=verdict.tasks, seq=verdict.seq, new=verdict.new)


async def tried(
    tx: Transaction, request: OnTasks, patches: list[dict[str, Any]], *, bin_too: bool = False,
    births: list[dict[str, Any]] | None = None, by: Targets | None = None,
) -> Verdict:  # fmt: skip
    """One try; what is `recurring` in its verdict has yet to be worked out, and then nothing was done.

    What is `stale` was worked out for what the filter no longer finds: nothing was done, either.
    """
    values = arguments(request, patches, bin_too=bin_too, if_rev=request.if_rev, births=births)
    verdict = await asked(tx, form(patches, births, by), values, by)
    if by:
        some(verdict, by)
    return judged(tx, verdict)


async def asked(tx: Transaction, sql: Sql, values: dict[str, Any], by: Targets | None) -> Verdict:
    """What the statement found, whatever that is."""
    return decode(await tx.finish(sql, **values, **(by.given() if by else {})) or "", Verdict)
