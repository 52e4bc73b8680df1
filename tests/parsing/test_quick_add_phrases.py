"""Two hundred captures as people type them, with what they mean by them."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from todo_cli.parsing.quick_add import QuickAdd, format_quick_add, parse_quick_add

TABLE: dict[str, list[dict[str, Any]]] = tomllib.loads((Path(__file__).parent / "captures.toml").read_text("utf-8"))
ROWS = [row for rows in TABLE.values() for row in rows]


def expected(row: dict[str, Any]) -> QuickAdd:
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
    del fields["text"]
    return QuickAdd(**fields)


@pytest.mark.parametrize("row", ROWS, ids=[row["text"] for row in ROWS])
def test_a_capture_means_what_its_writer_meant(row: dict[str, Any]) -> None:
    assert parse_quick_add(row["text"]) == expected(row)
    assert parse_quick_add(format_quick_add(expected(row))) == expected(row)


def test_there_are_two_hundred_different_ones() -> None:
    assert len({row["text"] for row in ROWS}) == len(ROWS) >= 200
