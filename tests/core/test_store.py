"""What a store sends, without a database: only statements that have work, each row once, and a bounded size."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.support.task_rows import EARLIER, NOW, ROWS, make_loaded, make_row
from todo_cli.contract.limits import MAX_CHANGE_BYTES
from todo_cli.core.journal import Stamp
from todo_cli.core.tasks.rows import LONG_COLUMNS, UPDATED_SHORT, TaskRow
from todo_cli.core.tasks.store import DecidedChange, Edits, build_store, decide_change
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
from todo_cli.errors import Invalid

STAMP = Stamp("EditTasks", "{}", b"hash", "key", None)


def decide(before: list[TaskRow], after: list[TaskRow], **loaded: Any) -> DecidedChange:
    return decide_change(STAMP, make_loaded(*before, **loaded), Edits(rows=after))


def store(before: list[TaskRow], after: list[TaskRow]) -> dict[Any, dict[str, Any]]:
    return dict(build_store([decide(before, after)]))


def rows_of(values: dict[str, Any], name: str = "rows") -> list[TaskRow]:
    return msgspec.json.decode(values[name], type=list[TaskRow])


def test_changed_row_gets_the_rev_and_the_time_of_the_change() -> None:
    row = make_row()
    [changed] = decide([row], [replace(row, title="new")]).rows
    assert (changed.rev, changed.updated_at, changed.created_at) == (10, NOW, EARLIER)


def test_unchanged_row_is_journaled_and_not_stored() -> None:
    row = make_row()
    calls = store([row], [row])
    assert list(calls) == [JOURNAL]
    assert rows_of(calls[JOURNAL], "before") == rows_of(calls[JOURNAL], "after") == [row]


def test_row_with_an_equal_instant_in_another_zone_is_journaled_as_it_was() -> None:
    row = make_row(due_at=NOW)
    same = replace(row, due_at=NOW.astimezone(ZoneInfo("Europe/Berlin")))
    calls = store([row], [same])
    assert calls[JOURNAL]["before"] == calls[JOURNAL]["after"]


def test_row_in_the_trash_has_the_time_of_its_deletion_as_long_as_it_is_there() -> None:
    row = make_row()
    [deleted] = decide([row], [replace(row, status="deleted")]).rows
    assert deleted.deleted_at == NOW
    [restored] = decide([deleted], [replace(deleted, status="open")]).rows
    assert restored.deleted_at is None


def test_row_that_was_not_loaded_is_inserted() -> None:
    calls = store([], [make_row(100), make_row(101)])
    assert list(calls) == [INSERT, JOURNAL]
    assert (calls[JOURNAL]["seq"], rows_of(calls[JOURNAL], "before")) == (10, [])


def test_tags_and_blockers_are_stored_by_difference() -> None:
    row = make_row(tags=("a", "b"), after=(2, 3))
    calls = store([row], [replace(row, tags=("b", "c"), after=(3, 4))])
    assert list(calls) == [UPDATE_SHORT, DELETE_TAGS, INSERT_TAGS, DELETE_LINKS, INSERT_LINKS, JOURNAL]
    assert (calls[DELETE_TAGS], calls[INSERT_TAGS]) == (
        {"numbers": [1], "tags": ["a"]},
        {"numbers": [1], "tags": ["c"]},
    )
    assert (calls[DELETE_LINKS], calls[INSERT_LINKS]) == (
        {"numbers": [1], "after": [2]},
        {"numbers": [1], "after": [4]},
    )


@given(st.lists(ROWS, min_size=1, max_size=5, unique_by=lambda row: row.number), st.text(min_size=1, max_size=3))
def test_journal_has_every_row_before_and_after(rows: list[TaskRow], title: str) -> None:
    calls = store(rows, [replace(row, title=title) for row in rows])
    before, after = (rows_of(calls[JOURNAL], name) for name in ("before", "after"))
    assert before == rows
    assert [row.number for row in after] == [row.number for row in rows]
    stored = rows_of(calls[UPDATE_SHORT]) if UPDATE_SHORT in calls else []
    assert [replace(row, note=None) for row in after if row not in before] == stored


def test_several_changes_store_a_row_once_as_the_last_leaves_it() -> None:
    row = make_row(tags=("a",))
    first = decide([row], [replace(row, title="first", tags=("b",))])
    second = decide(first.rows, [replace(first.rows[0], title="second", tags=("a",))], seq=first.seq)
    calls = build_store([first, second])
    assert [sql for sql, _ in calls] == [UPDATE_SHORT, JOURNAL, JOURNAL], "the tags are as they were"
    assert [row.title for row in rows_of(calls[0][1])] == ["second"]
    assert [values["seq"] for _, values in calls[1:]] == [10, 11]


def test_rows_larger_than_the_limit_are_refused() -> None:
    rows = [make_row(number, note=f"{number}" * (MAX_CHANGE_BYTES // 3)) for number in (1, 2, 3)]
    changed = [replace(row, note=None) for row in rows]
    change = decide_change(STAMP, make_loaded(*rows), Edits(rows=changed, undoes=1))
    with pytest.raises(Invalid, match="larger than 64 MB together; nothing was changed"):
        build_store([change])


def test_update_writes_long_columns_only_where_they_change() -> None:
    rows = [make_row(1, note="a"), make_row(2, note="b")]
    calls = store(rows, [replace(rows[0], note="c"), replace(rows[1], title="new")])
    assert list(calls) == [UPDATE, UPDATE_SHORT, JOURNAL]
    assert (calls[UPDATE]["numbers"], calls[UPDATE_SHORT]["numbers"]) == ([1], [2])
    assert rows_of(calls[UPDATE_SHORT])[0].note is None, "the statement has no such column"
    assert not {*LONG_COLUMNS} & {*UPDATED_SHORT}
