"""The second half of every write of tasks: rows, tags, links and the journal.

Nothing else writes tasks, and the database advances the space's counters with the inserted rows. Each statement is constant, and a statement without work is not sent. What was loaded is still
true here, since the space is locked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from todo_cli.contract.limits import MAX_CHANGE_BYTES
from todo_cli.core.journal import INSERT_CHANGE, Stamp
from todo_cli.core.tasks.load import Loaded
from todo_cli.core.tasks.rows import COLUMNS, UPDATED, TaskRow, list_columns
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.errors import Invalid

MAX_INLINE_ROWS = 500  # more are decided and encoded in a thread

UPDATE = Sql(f"""
UPDATE todo.tasks t SET ({list_columns(UPDATED)}) = ROW({list_columns(UPDATED, "r.")})
FROM jsonb_populate_recordset(NULL::todo.tasks, %(rows)s::jsonb) AS r
WHERE t.space_id = %(space)s::uuid AND t.number = r.number
  -- the numbers again: before the first ANALYZE a join might read the whole space
  AND t.number = ANY (%(numbers)s::bigint[])""")

INSERT = Sql(f"""
INSERT INTO todo.tasks (space_id, {list_columns(COLUMNS)})
SELECT %(space)s::uuid, {list_columns(COLUMNS)}
FROM jsonb_populate_recordset(NULL::todo.tasks, %(rows)s::jsonb)""")

DELETE_TAGS = Sql("SELECT todo.remove_tags(%(numbers)s::bigint[], %(tags)s::text[])")

INSERT_TAGS = Sql("""
INSERT INTO todo.task_tags (space_id, number, tag)
SELECT %(space)s::uuid, * FROM unnest(%(numbers)s::bigint[], %(tags)s::text[])""")

DELETE_LINKS = Sql("SELECT todo.remove_links(%(numbers)s::bigint[], %(after)s::bigint[])")

INSERT_LINKS = Sql("""
INSERT INTO todo.links (space_id, number, after)
SELECT %(space)s::uuid, * FROM unnest(%(numbers)s::bigint[], %(after)s::bigint[])""")

JOURNAL = Sql(f"""
WITH entry AS (
  SELECT %(seq)s::bigint AS seq, %(before)s::jsonb AS before, %(after)s::jsonb AS after,
    NULL::jsonb AS answer),
change AS ({INSERT_CHANGE})
SELECT seq FROM change""")

# Adds tasks without a parent and blockers, which need nothing that is stored. Their rows get numbers, rev and times here.
ADD = Sql(f"""
WITH known AS MATERIALIZED (
  SELECT c.seq, c.after, c.request_hash = %(hash)s::bytea AS same FROM todo.changes c
  WHERE c.space_id = %(space)s::uuid AND c.user_id = %(me)s::uuid AND c.key = %(key)s::text),
counters AS (
  SELECT seq + 1 AS seq, next_number - 1 AS last, clock_timestamp() AS now FROM todo.spaces
  WHERE id = %(space)s::uuid AND NOT EXISTS (SELECT FROM known)),
preferred AS MATERIALIZED (
  SELECT jsonb_build_object('project', p.project) AS fields FROM todo.preferences p
  WHERE p.user_id = %(me)s::uuid AND p.project IS NOT NULL),
usual AS MATERIALIZED (
  SELECT jsonb_build_object('remind', jsonb_build_array(jsonb_build_object(
      'user', %(me)s::uuid, 'zone', coalesce(%(zone)s::text, p.timezone, 'UTC'),
      'days', extract(day FROM lead)::int,
      'seconds', (extract(epoch FROM lead) - 86400 * extract(day FROM lead))::int)))
    AS fields
  FROM todo.preferences p, CAST(p.remind AS interval) AS lead
  WHERE p.user_id = %(me)s::uuid AND p.remind IS NOT NULL),
added AS MATERIALIZED (
  SELECT x.task || jsonb_build_object(
      'number', last + place, 'rev', seq, 'created_at', now, 'updated_at', now)
    || coalesce((
      SELECT fields FROM preferred WHERE place = ANY (%(default_project)s::bigint[])), '{{}}')
    || coalesce((
      SELECT fields FROM usual WHERE place = ANY (%(default_reminder)s::bigint[])), '{{}}')
    AS task, place
  FROM counters, jsonb_array_elements(%(rows)s::jsonb) WITH ORDINALITY AS x(task, place)),
stored AS (
  INSERT INTO todo.tasks (space_id, {list_columns(COLUMNS)})
  SELECT %(space)s::uuid, {list_columns(COLUMNS, "r.")}
  FROM added, jsonb_populate_record(NULL::todo.tasks, added.task) AS r),
tagged AS (
  INSERT INTO todo.task_tags (space_id, number, tag)
  SELECT %(space)s::uuid, (added.task ->> 'number')::bigint, tag
  FROM added, jsonb_array_elements_text(added.task -> 'tags') AS tag),
entry AS (
  SELECT seq, '[]'::jsonb AS before, (SELECT jsonb_agg(task ORDER BY place) FROM added) AS after,
    NULL::jsonb AS answer
  FROM counters),
change AS ({INSERT_CHANGE})
SELECT json_build_object('is_new', true, 'same', true, 'seq', seq, 'after', after)::text
FROM change
UNION ALL
SELECT json_build_object('is_new', false, 'same', same, 'seq', seq, 'after', after)::text
FROM known""")


class Edits(msgspec.Struct, kw_only=True):
    """What a rule makes of the loaded rows: the rows as they are to be, in the order of the answer.

    A row whose number was not loaded is new. A row that equals the loaded one keeps its rev. `group` names changes that
    are undone together, `undoes` is the change that this one takes back.
    """

    rows: list[TaskRow]
    open_subtasks: int | UnsetType = UNSET
    ended: tuple[int, ...] | UnsetType = UNSET
    open_next: tuple[int, ...] | UnsetType = UNSET
    group: str | None = None
    undoes: int | None = None
    redo: bool = False


class DecidedChange(NamedTuple):
    """One request's change: what it was decided on, and its rows with their new rev and time."""

    stamp: Stamp
    loaded: Loaded
    edits: Edits
    rows: list[TaskRow]

    @property
    def seq(self) -> int:
        """The change's place in the journal."""
        return self.loaded.seq + 1

    @property
    def before(self) -> list[TaskRow]:
        """The changed tasks as they were, without those that the change adds."""
        before = loaded_rows(self.loaded)
        return [before[row.number] for row in self.rows if row.number in before]

    @property
    def next_number(self) -> int:
        """The number of the next task that is added to the space."""
        return max([self.loaded.next_number, *(row.number + 1 for row in self.rows)])


def loaded_rows(loaded: Loaded) -> dict[int, TaskRow]:
    """Return all loaded rows by number, next occurrences too."""
    return {row.number: row for row in (*loaded.next_occurrences, *loaded.rows)}


def decide_change(stamp: Stamp, loaded: Loaded, edits: Edits) -> DecidedChange:
    """Give the changed rows the rev and the time of the change; a row that has not changed stays as it is."""
    before = loaded_rows(loaded)
    return DecidedChange(stamp, loaded, edits, [_stamp_row(row, before.get(row.number), loaded) for row in edits.rows])


def _stamp_row(row: TaskRow, before: TaskRow | None, loaded: Loaded) -> TaskRow:
    if row == before:
        return before  # An instant in another zone is equal too, and undo skips a change by the text of its rows.
    deleted_at = (row.deleted_at or loaded.now) if row.status == "deleted" else None
    return replace(row, rev=loaded.seq + 1, updated_at=loaded.now, deleted_at=deleted_at)


async def store_calls(changes: Sequence[DecidedChange]) -> list[StatementCall]:
    """Return the statements that store changes which were decided one after the other; many rows in a thread."""
    if sum(len(change.rows) for change in changes) <= MAX_INLINE_ROWS:
        return build_store(changes)
    return await asyncio.to_thread(build_store, changes)


def build_store(changes: Sequence[DecidedChange]) -> list[StatementCall]:
    """Return the statements that store changes which were decided one after the other: a row once, as the last left it."""
    before: dict[int, TaskRow | None] = {}
    after: dict[int, TaskRow] = {}
    for change in changes:
        was = loaded_rows(change.loaded)
        for row in change.rows:
            before.setdefault(row.number, was.get(row.number))
            after[row.number] = row
    changed = [row for row in after.values() if row != before[row.number]]
    updated = [row for row in changed if before[row.number]]
    added = [row for row in changed if not before[row.number]]
    calls: list[StatementCall] = []
    if updated:
        calls.append((UPDATE, {"rows": encode_rows(updated), "numbers": [row.number for row in updated]}))
    if added:
        calls.append((INSERT, {"rows": encode_rows(added)}))
    calls += _tag_calls(changed, before)
    calls += _link_calls(changed, before)
    return calls + [_journal_call(change) for change in changes]


def _journal_call(change: DecidedChange) -> StatementCall:
    return JOURNAL, {
        "seq": change.seq,
        "key": change.stamp.key,
        "hash": change.stamp.hash,
        "verb": change.stamp.verb,
        "request": change.stamp.request,
        "before": encode_rows(change.before),
        "after": encode_rows(change.rows),
        "undoes": change.edits.undoes,
        "redo": change.edits.redo,
        "group": change.edits.group or change.stamp.turn,
        "turn": change.stamp.turn,
    }


def encode_rows(rows: Sequence[TaskRow]) -> str:
    """Return the rows as JSON; raises Invalid where they are too large for one change."""
    encoded: list[bytes] = []
    size = 0
    for row in rows:
        encoded.append(msgspec.json.encode(row))
        size += len(encoded[-1])
        if size > MAX_CHANGE_BYTES:
            raise too_large()
    return f"[{b','.join(encoded).decode()}]"


def too_large() -> Invalid:
    """Return the error for a change that reads or stores too many bytes."""
    return Invalid(
        f"the tasks are larger than {MAX_CHANGE_BYTES // 2**20} MB together; nothing was changed",
        hint="change fewer tasks at once",
    )


def _tag_calls(rows: list[TaskRow], before: dict[int, TaskRow | None]) -> list[StatementCall]:
    removed: list[tuple[int, str]] = []
    added: list[tuple[int, str]] = []
    for row in rows:
        was = before[row.number]
        old = was.tags if was else ()
        if old != row.tags:
            removed += [(row.number, tag) for tag in old if tag not in row.tags]
            added += [(row.number, tag) for tag in row.tags if tag not in old]
    return _pair_calls(DELETE_TAGS, removed, "tags") + _pair_calls(INSERT_TAGS, added, "tags")


def _link_calls(rows: list[TaskRow], before: dict[int, TaskRow | None]) -> list[StatementCall]:
    removed: list[tuple[int, int]] = []
    added: list[tuple[int, int]] = []
    for row in rows:
        was = before[row.number]
        old = was.after if was else ()
        if old != row.after:
            removed += [(row.number, after) for after in old if after not in row.after]
            added += [(row.number, after) for after in row.after if after not in old]
    return _pair_calls(DELETE_LINKS, removed, "after") + _pair_calls(INSERT_LINKS, added, "after")


def _pair_calls(sql: Sql, pairs: Sequence[tuple[int, Any]], name: str) -> list[StatementCall]:
    if not pairs:
        return []
    return [(sql, {"numbers": [number for number, _ in pairs], name: [value for _, value in pairs]})]
