"""Long texts of the journal, without a database: each once, none that stays, and all found again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.core.test_undo import make_loaded
from tests.support.task_rows import make_recurring, make_row
from todo_cli.contract.journal import Undo
from todo_cli.contract.limits import LONG_TEXT_CHARS, MAX_CHANGED_TEXT_BYTES
from todo_cli.core.history.load_changes import StoredChange
from todo_cli.core.history.undo import content, invert
from todo_cli.core.journal import differences
from todo_cli.core.journal_texts import encode_change, has_reference, restore_texts
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.text_limit import raise_for_changed_texts
from todo_cli.errors import Conflict, Invalid

LONG, OTHER, SHORT = "x" * (LONG_TEXT_CHARS + 1), "y" * (LONG_TEXT_CHARS + 1), "z" * LONG_TEXT_CHARS


def journal(before: list[TaskRow], after: list[TaskRow], seq: int = 2) -> StoredChange:
    """Return the change as the journal stores it."""
    encoded = encode_change(before, after)
    return StoredChange(
        seq=seq,
        head=2,
        before=msgspec.json.decode(encoded.before),
        after=msgspec.json.decode(encoded.after),
        texts=msgspec.json.decode(encoded.texts or "{}"),
    )


def test_text_set_in_many_tasks_is_stored_once() -> None:
    before = [make_row(number) for number in range(300)]
    encoded = encode_change(before, [replace(row, note=LONG * 190) for row in before])
    assert encoded.bytes < 2 * 300 * 400 + 2 * len(LONG * 190)
    assert list(msgspec.json.decode(encoded.texts or "").values()) == [LONG * 190]


@pytest.mark.parametrize("note", [LONG, SHORT, None])
def test_text_that_stays_is_not_stored_apart(note: str | None) -> None:
    row = make_row(note=note)
    change = journal([row], [replace(row, title="new")])
    assert change.texts == {}
    assert change.before[0].get("note") == change.after[0].get("note")
    assert ("note" in change.before[0] and change.before[0]["note"] != note) == (note == LONG)
    assert [difference.fields for difference in differences(change.before, change.after)] == [
        {"title": ("task 1", "new")}
    ]


def test_change_without_effect_has_equal_rows() -> None:
    rows = [make_row(note=LONG)]
    encoded = encode_change(rows, rows)
    assert (encoded.before, encoded.texts) == (encoded.after, None)


TEXTS = st.sampled_from([None, "n", SHORT, LONG, OTHER])


@given(before=TEXTS, after=TEXTS, template=st.sampled_from([None, {"note": "short"}, {"note": LONG, "title": "t"}]))
def test_undo_of_any_texts_restores_them(before: str | None, after: str | None, template: Any) -> None:
    old = make_recurring(note=before)
    new = replace(old, title="new", note=after, repeat=old.repeat and replace(old.repeat, template=template))
    [row] = invert(make_loaded([journal([old], [new])], [new]), Undo(), "undo").rows
    assert content(row) == content(old)


def test_undo_of_a_group_finds_the_text_that_a_later_change_removes() -> None:
    first = make_row(note=LONG)
    second, third = replace(first, title="b"), replace(first, title="b", note=None)
    changes = [journal([first], [second]), journal([second], [third], seq=3)]
    [row] = invert(make_loaded(changes, [third]), Undo(), "undo").rows
    assert content(row) == content(first)


def test_undo_after_somebody_replaced_a_text_raises_conflict() -> None:
    old = make_row(note=LONG)
    change = journal([old], [replace(old, title="b")])
    with pytest.raises(Conflict, match="#1 b has changed since"):
        invert(make_loaded([change], [replace(old, title="b", note=OTHER)]), Undo(), "undo")


def test_text_that_is_nowhere_stays_a_reference_and_is_shown_as_one() -> None:
    old = make_row(note=LONG)
    [row] = restore_texts(journal([old], [replace(old, title="b")]).before, {}, [make_row(note=OTHER)])
    assert has_reference(row)
    [difference] = differences([row], [replace(old, note="now")])
    assert difference.fields["note"] == ("(a long text)", "now")


@pytest.mark.parametrize("row", [None, 3, [], {"number": 1, "note": {"sha256": 3}}, {"number": "1", "repeat": "x"}, {}])
def test_row_of_any_content_is_left_as_it_is(row: Any) -> None:
    assert restore_texts([row], {"a": "b"}) == [row]


@pytest.mark.parametrize(("count", "size"), [(300, 97_000), (2, MAX_CHANGED_TEXT_BYTES // 2)])
def test_text_of_a_change_above_the_limit_is_refused(count: int, size: int) -> None:
    before = {number: make_row(number) for number in range(count)}
    after = [replace(row, note="x" * size) for row in before.values()]
    with pytest.raises(Invalid, match=r"MB of text in \d+ tasks; at most 4 MB can be changed at once; nothing"):
        raise_for_changed_texts(before, after)
    with pytest.raises(Invalid):  # it counts both ways, so that what was changed can be changed back
        raise_for_changed_texts({row.number: row for row in after}, list(before.values()))
    raise_for_changed_texts({row.number: row for row in after}, [replace(row, title="new") for row in after])
