"""Differences of tasks as the log shows them, without a database; the journal may have any JSON."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.task_rows import ROWS, make_recurring, make_row
from todo_cli.core.journal import SHOWN_FIELDS, differences
from todo_cli.core.tasks.rows import TaskRow

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=5), values, max_size=3),
    max_leaves=8,
)
COLUMNS = [*SHOWN_FIELDS, "number", "due_on", "due_at", "rev"]
FORGED = st.dictionaries(st.sampled_from(COLUMNS), JSON) | st.fixed_dictionaries(
    {"number": st.integers(), "repeat": st.fixed_dictionaries({"rule": JSON, "from_done": JSON})}
)


@given(st.lists(JSON | FORGED, max_size=3), st.lists(JSON | FORGED, max_size=3))
def test_differences_of_any_json_raise_nothing(before: list[Any], after: list[Any]) -> None:
    assert len(differences(before, after)) <= len(after)


@given(ROWS)
def test_differences_of_equal_rows_are_none(row: TaskRow) -> None:
    assert differences([row], [row]) == ()


def test_differences_of_a_new_task_show_the_fields_that_it_has() -> None:
    [difference] = differences([], [make_row(tags=("a",), priority=2)])
    assert (difference.added, difference.title) == (True, "task 1")
    assert difference.fields == {"tags": (None, ["a"]), "priority": (None, 2)}


def test_differences_show_recurrence_in_words_and_no_priority_as_none() -> None:
    [difference] = differences([make_row(priority=1)], [make_recurring()])
    assert difference.fields == {"due": (None, "2026-11-27"), "priority": (1, None), "repeat": (None, "every day")}
