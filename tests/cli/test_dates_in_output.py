"""Dates in the answers of commands: absolute and relative."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from todo_cli.cli.render.text import format_full_due

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("due", "text"),
    [
        ("2026-11-27", "Fri 27 Nov, today"),
        ("2026-11-28", "Sat 28 Nov, tomorrow"),
        ("2026-11-26", "Thu 26 Nov, yesterday"),
        ("2026-12-01", "Tue 1 Dec, in 4 days"),
        ("2026-11-20", "Fri 20 Nov, 7 days ago"),
        ("2026-11-28T09:00:00Z", "Sat 28 Nov 09:00, tomorrow"),
        ("2027-05-01", "Sat 1 May"),
        ("2030-01-02", "Wed 2 Jan 2030"),
    ],
)
def test_format_full_due_date_returns_the_absolute_and_the_relative_date(due: str, text: str) -> None:
    assert format_full_due(due, UTC, NOW) == text
