"""A task as a patch leaves it: each column, from the row as it is (`cur`) and the patch `p`."""

from __future__ import annotations

from typing import LiteralString

from todo_cli.core.tasks.snapshot_sql import when

COLUMNS: LiteralString = """title, note, priority, project, due_on, due_at, status, parent, defer_on, defer_at,
    scheduled_on, scheduled_at, started_at, tracked, series, occurrence, repeat"""

_DATE: LiteralString = f"coalesce(p ->> 'due_on', p ->> 'due_at', {when('cur', 'due')}, p #>> '{{every,first_on}}', p #>> '{{every,first_at}}')"


def _date(name: LiteralString) -> LiteralString:
    return f"""CASE WHEN p ? '{name}_on' THEN (p ->> '{name}_on')::date ELSE {name}_on END AS {name}_on,
    CASE WHEN p ? '{name}_at' THEN (p ->> '{name}_at')::timestamptz ELSE {name}_at END AS {name}_at"""


# what edits of one occurrence alone have hidden: what the template has already is older, and the series'
_TEMPLATE: LiteralString = """coalesce((SELECT jsonb_build_object('template', jsonb_object_agg(key, value))
    FROM jsonb_each(jsonb_build_object('title', title, 'note', note, 'priority', nullif(priority, 4), 'project', project,
        'tags', tags, 'parent', parent, 'defer_on', defer_on, 'defer_at', defer_at, 'scheduled_on', scheduled_on,
        'scheduled_at', scheduled_at) || coalesce(repeat -> 'template', '{}'))
   WHERE (p -> 'hide' ? key OR coalesce(repeat -> 'template', '{}') ? key) AND NOT p -> 'show' ? key
  HAVING count(*) > 0), '{}')"""

_REPEAT: LiteralString = f"""CASE WHEN p ? 'repeat' THEN nullif(p -> 'repeat', 'null')
    WHEN p ? 'every' THEN (p -> 'every') - 'first_on' - 'first_at' || jsonb_build_object('anchor', {_DATE}, 'slot', {_DATE})
    WHEN repeat IS NULL OR NOT p ? 'hide' THEN repeat
    ELSE repeat - 'template' || {_TEMPLATE}
      || CASE WHEN p ? 'anchor' THEN jsonb_build_object('anchor', {_DATE}, 'slot', {_DATE}) ELSE '{{}}' END END"""

_LINKS: LiteralString = """CASE WHEN p ?| '{after,add_after,remove_after}' THEN ARRAY(SELECT DISTINCT n FROM (
      SELECT unnest(CASE WHEN p ? 'after' THEN ARRAY(SELECT jsonb_array_elements_text(p -> 'after')::bigint) ELSE links END) AS n
      UNION ALL SELECT jsonb_array_elements_text(coalesce(p -> 'add_after', '[]'))::bigint) AS wished
    WHERE NOT coalesce(p -> 'remove_after', '[]') @> to_jsonb(n) ORDER BY n) ELSE links END"""


def patched(*, deep: bool) -> LiteralString:
    """The rows `set`: what is in `cur` with the patch `p` of each; `deep` also what it waits for."""
    links: LiteralString = _LINKS if deep else "links"
    return f"""set AS MATERIALIZED (SELECT space_id, number, id, created_at, place, rev, updated_at, completed_at, deleted_at, p,
    CASE WHEN p ? 'title' THEN p ->> 'title' ELSE title END AS title,
    CASE WHEN p ? 'note' THEN p ->> 'note' ELSE note END AS note,
    CASE WHEN p ? 'priority' THEN coalesce((p ->> 'priority')::smallint, 4::smallint) ELSE priority END AS priority,
    CASE WHEN p ? 'project' THEN p ->> 'project' ELSE project END AS project,
    CASE WHEN p ? 'due_on' THEN (p ->> 'due_on')::date WHEN p ? 'every' AND due_on IS NULL AND due_at IS NULL
         THEN (p #>> '{{every,first_on}}')::date ELSE due_on END AS due_on,
    CASE WHEN p ? 'due_at' THEN (p ->> 'due_at')::timestamptz WHEN p ? 'every' AND due_on IS NULL AND due_at IS NULL
         THEN (p #>> '{{every,first_at}}')::timestamptz ELSE due_at END AS due_at,
    {_date("defer")},
    {_date("scheduled")},
    CASE WHEN p ? 'parent' THEN (p ->> 'parent')::bigint ELSE parent END AS parent,
    CASE WHEN p ? 'status' THEN p ->> 'status'
         WHEN p ? 'restore' AND status = 'deleted' THEN CASE WHEN completed_at IS NULL THEN 'open' ELSE 'done' END
         ELSE status END AS status,
    CASE WHEN p ? 'completed_at' THEN (p ->> 'completed_at')::timestamptz
         WHEN p ->> 'status' = 'done' THEN coalesce(completed_at, now)
         WHEN p ->> 'status' = 'open' THEN NULL ELSE completed_at END AS completed,
    CASE WHEN p ? 'started_at' THEN (p ->> 'started_at')::timestamptz WHEN rests THEN NULL
         WHEN p ? 'start' THEN coalesce(started_at, now) ELSE started_at END AS started_at,
    CASE WHEN p ? 'tracked' THEN (p ->> 'tracked')::bigint WHEN rests AND started_at IS NOT NULL
         THEN tracked + greatest(0, floor(extract(epoch FROM now - started_at)))::bigint ELSE tracked END AS tracked,
    CASE WHEN p ? 'series' THEN (p ->> 'series')::uuid WHEN p ? 'every' THEN coalesce(series, id) ELSE series END AS series,
    CASE WHEN p ? 'occurrence' THEN (p ->> 'occurrence')::int WHEN p ? 'every' THEN coalesce(occurrence, 1)
         ELSE occurrence END AS occurrence,
    {_REPEAT} AS repeat,
    ARRAY(SELECT DISTINCT tag COLLATE "C" AS tag FROM (
        SELECT unnest(CASE WHEN p ? 'tags' THEN ARRAY(SELECT jsonb_array_elements_text(p -> 'tags')) ELSE tags END) AS tag
        UNION ALL SELECT jsonb_array_elements_text(coalesce(p -> 'add_tags', '[]'))) AS wished
      WHERE NOT coalesce(p -> 'remove_tags', '[]') ? tag ORDER BY tag) AS tags,
    {links} AS links, links AS waited, claimed_by, claim_token, claimed_until,
    ({COLUMNS}, tags, links) AS was
  FROM cur, moment)"""
