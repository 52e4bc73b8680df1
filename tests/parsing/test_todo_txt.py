"""Lines of todo.txt and their fields, by the rules of the format."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from todo_cli.parsing.recurrence import parse_recurrence
from todo_cli.parsing.todo_txt import parse_todo_txt

LINES: list[dict[str, Any]] = tomllib.loads((Path(__file__).parent / "todo_txt.toml").read_text("utf-8"))["line"]
NOW = datetime(2026, 11, 27, 22, tzinfo=UTC)


@pytest.mark.parametrize("line", LINES, ids=[line["text"] for line in LINES])
def test_parse_todo_txt_line_returns_its_fields(line: dict[str, Any]) -> None:
    parsed = parse_todo_txt(line["text"])
    assert parsed is not None
    fields = {name: value for name, value in parsed._asdict().items() if value and name != "every"}
    fields |= {name: value.isoformat() for name, value in fields.items() if name in ("completed", "created")}
    fields |= {"tags": list(parsed.tags)} if parsed.tags else {}
    if parsed.every:
        recurrence = parse_recurrence(parsed.every, zone="UTC", now=NOW)
        fields |= {"rule": recurrence.rule, "from_done": recurrence.from_done}
    assert fields == {name: value for name, value in line.items() if name != "text"}


@pytest.mark.parametrize(
    "text",
    [
        "xylophone lesson",
        "X 2026-01-01 Make resolutions",
        "(b) Get back to the boss",
        "(B)->Submit the report",
        "Really gotta call back (A) @phone @someday",
        "(A)",
        "x",
        "2026-02-30 A day that is none",
        "Buy milk tomorrow +shop",
        "Learn how to add 2+2",
    ],
)
def test_parse_todo_txt_other_text_returns_none(text: str) -> None:
    assert parse_todo_txt(text) is None


@pytest.mark.parametrize(("letter", "priority"), [("A", 1), ("B", 2), ("C", 3), ("D", 3), ("Z", 3)])
def test_parse_todo_txt_priority_letter_returns_a_number(letter: str, priority: int) -> None:
    for text in (f"({letter}) Call", f"x 2026-11-05 Call pri:{letter}"):
        parsed = parse_todo_txt(text)
        assert parsed is not None
        assert (parsed.title, parsed.priority) == ("Call", priority)
