"""The second half of every write of tasks: rows, tags, links and the journal.

Nothing else writes tasks, and the database advances the space's counters with the inserted rows. Each statement is
constant, and a statement without work is not sent. What was loaded is still true here, since the space is locked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from todo_cli.contract.limits import MAX_CHANGE_BYTES
from todo_cli.core.journal import Stamp
from todo_cli.core.journal_texts import encode_change
from todo_cli.core.tasks.fences import accept_fence, end_claims_of_others, raise_for_lost_fences
from todo_cli.core.tasks.load import Loaded
from todo_cli.core.tasks.rows import LONG_COLUMNS, TaskRow
from todo_cli.core.tasks.store_sql import (
    DELETE_LINKS,
    DELETE_TAGS,
    INSERT,
    INSERT_LINKS,
    INSERT_TAGS,
    JOURNAL,
    UPDATE,
    UPDATE_SHORT,
)
from todo_cli.core.tasks.text_limit import raise_for_changed_texts
from todo_cli.db.sql import Sql, StatementCall
from todo_cli.errors import Invalid

MAX_INLINE_ROWS = 500  # more are decided and encoded in a thread

_long_columns = attrgetter(*LONG_COLUMNS)


class Edits(msgspec.Struct, kw_only=True):
    """What a rule makes of the loaded rows: the rows as they are to be, in the order of the answer.

    A row whose number was not loaded is new. A row that equals the loaded one keeps its rev. `group` names changes that
    are undone together, `undoes` is the change that this one takes back. With `is_claim` the change gives a claim, so it
    needs none.
    """

    rows: list[TaskRow]
    open_subtasks: int | UnsetType = UNSET
    ended: tuple[int, ...] | UnsetType = UNSET
    open_next: tuple[int, ...] | UnsetType = UNSET
    copied_from: tuple[int, ...] | UnsetType = UNSET
    group: str | None = None
    undoes: int | None = None
    redo: bool = False
    is_claim: bool = False


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
    """Give the changed rows the rev and the time of the change; a row that has not changed stays as it is.

    Raises Conflict where the caller has lost its claim of a task, and Invalid where the change would write too much text.
    An undo only brings back what earlier changes wrote.
    """
    before = loaded_rows(loaded)
    if not edits.is_claim:
        raise_for_lost_fences([before[row.number] for row in edits.rows if row.number in before], loaded, stamp.fences)
    if edits.undoes is None:
        raise_for_changed_texts(before, edits.rows)
    rows = [_stamp_row(row, before.get(row.number), loaded, stamp) for row in edits.rows]
    return DecidedChange(stamp, loaded, edits, rows)


def _stamp_row(row: TaskRow, before: TaskRow | None, loaded: Loaded, stamp: Stamp) -> TaskRow:
    if row == before:
        return before  # An instant in another zone is equal too, and undo skips a change by the text of its rows.
    if before:
        row = end_claims_of_others(accept_fence(row, loaded, stamp.fences), before, loaded)
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
    calls = _update_calls(updated, before)
    if added:
        calls.append((INSERT, {"rows": encode_rows(added)}))
    calls += _tag_calls(changed, before)
    calls += _link_calls(changed, before)
    return calls + [_journal_call(change) for change in changes]


def _update_calls(rows: Sequence[TaskRow], before: Mapping[int, TaskRow | None]) -> list[StatementCall]:
    """Return the UPDATE of the rows, and that of the rows whose long columns stay as they are."""
    short = [row for row in rows if _long_columns(row) == _long_columns(before[row.number])]
    kept = {row.number for row in short}
    long = [row for row in rows if row.number not in kept]
    cleared = [replace(row, note=None, repeat=None) for row in short]
    return [
        (sql, {"rows": encode_rows(updated), "numbers": [row.number for row in updated]})
        for sql, updated in ((UPDATE, long), (UPDATE_SHORT, cleared))
        if updated
    ]


def _journal_call(change: DecidedChange) -> StatementCall:
    encoded = encode_change(change.before, change.rows)
    if encoded.bytes > MAX_CHANGE_BYTES:
        raise too_large()
    return JOURNAL, {
        "seq": change.seq,
        "key": change.stamp.key,
        "hash": change.stamp.hash,
        "verb": change.stamp.verb,
        "request": change.stamp.request,
        "before": encoded.before,
        "after": encoded.after,
        "texts": encoded.texts,
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
