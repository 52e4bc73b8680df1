"""A row's two forms: the journal's JSON, and the contract's task."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
from hypothesis import given

from tests.support.task_rows import ROWS, make_recurring, make_row
from todo_cli.core.tasks.rows import COLUMNS, TaskRow, date_columns, date_of, format_date, parse_date, to_task
from todo_cli.db.tables.tasks import tasks


@given(ROWS)
def test_json_of_a_row_reads_back_as_the_same_row(row: TaskRow) -> None:
    encoded = msgspec.json.encode(row)
    assert msgspec.json.decode(encoded, type=TaskRow) == row
    assert None not in msgspec.json.decode(encoded).values()


def test_columns_are_those_of_the_table() -> None:
    stored = {column.name for column in tasks.columns if not column.computed}
    assert stored - {"space_id", "title_sort", "project_sort"} == set(COLUMNS)


def test_nullable_columns_are_the_fields_with_a_default() -> None:
    nullable = {column.name for column in tasks.columns if column.nullable and not column.computed}
    optional = {field.name for field in msgspec.structs.fields(TaskRow) if not field.required}
    assert optional - {"tags", "after"} == nullable.intersection(COLUMNS)


def test_to_task_no_priority_is_none() -> None:
    assert [to_task(make_row(priority=priority)).priority for priority in (1, 3, 4)] == [1, 3, None]


def test_to_task_writes_days_and_instants() -> None:
    task = to_task(make_row(due_on=date(2030, 1, 2), defer_at=datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=UTC)))
    assert (task.due, task.defer, task.scheduled) == ("2030-01-02", "2030-01-02T03:04:05Z", None)


def test_to_task_recurrence_has_series_and_occurrence() -> None:
    repeat = to_task(make_recurring(occurrence=3)).repeat
    assert repeat
    assert (repeat.rule, repeat.series, repeat.occurrence) == ("FREQ=DAILY", "series", 3)


@given(ROWS)
def test_date_columns_and_date_of_are_inverse(row: TaskRow) -> None:
    for name in ("due", "defer"):
        value = date_of(row, name)
        assert date_columns(name, value) == {
            f"{name}_on": getattr(row, f"{name}_on"),
            f"{name}_at": getattr(row, f"{name}_at"),
        }
        assert value is None or parse_date(format_date(value)) == value
