"""Tests of quick add with texts as people type them."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.quick_add_format import format_quick_add
from todo_cli.parsing.quick_add import QuickAdd, parse_quick_add

SECTIONS: dict[str, list[dict[str, Any]]] = tomllib.loads((Path(__file__).parent / "quick_add.toml").read_text("utf-8"))
EXAMPLES = [example for section in SECTIONS.values() for example in section]
FRIDAY = date(2026, 11, 27)


def expected_fields(example: dict[str, Any]) -> QuickAdd:
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in example.items()}
    del fields["text"]
    return QuickAdd(**fields)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example["text"] for example in EXAMPLES])
def test_parse_quick_add_typed_text_returns_the_meant_fields(example: dict[str, Any]) -> None:
    assert parse_quick_add(example["text"], FRIDAY) == expected_fields(example)


@pytest.mark.parametrize(
    "example", [row for row in EXAMPLES if row["text"] != "Gym at 7am every monday 6pm"], ids=lambda row: row["text"]
)
def test_format_quick_add_example_parses_back_to_the_same_fields(example: dict[str, Any]) -> None:
    assert parse_quick_add(format_quick_add(expected_fields(example)), FRIDAY) == expected_fields(example)


def test_examples_are_over_two_hundred_and_distinct() -> None:
    assert len({example["text"] for example in EXAMPLES}) == len(EXAMPLES) >= 200
