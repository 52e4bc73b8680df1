"""Each wall and each answer of SECURITY.md names the tests that hold it, and these tests exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
TEST_PATH = re.compile(r"`(tests/[\w/]+\.py)`")


def rows_of(heading: str, last_column: str) -> list[str]:
    """Return the rows of the tables below a heading whose last column has this name."""
    section = PAGE.split(f"\n## {heading}")[1].split("\n## ")[0]
    tables = re.findall(rf"\| {last_column} \|\n\|[-|]+\|\n((?:\|.*\|\n?)+)", section)
    return [row for table in tables for row in table.strip().splitlines()]


def test_every_wall_and_answer_names_tests_in_its_last_column() -> None:
    walls, answers = rows_of("Walls", "test"), rows_of("OWASP ASVS", "tests")
    assert len(walls) > 40
    assert len(answers) > 20
    unproven = [row for row in (*walls, *answers) if not TEST_PATH.search(row.rsplit("|", 2)[1])]
    assert unproven == []


def test_tests_that_the_page_names_exist_and_have_tests() -> None:
    paths = sorted(set(TEST_PATH.findall(PAGE)))
    assert len(paths) > 30
    assert [path for path in paths if not (ROOT / path).is_file() or "def test_" not in (ROOT / path).read_text()] == []
