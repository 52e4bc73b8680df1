"""Tests of the duration parser."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo_cli.errors import Invalid
from todo_cli.parsing.durations import MAX_DURATION_SECONDS, SECONDS_PER_UNIT, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("15m", 900),
        ("1h30m", 5_400),
        ("90s", 90),
        ("2d", 172_800),
        ("45", 45),
        ("1.5h", 5_400),
        ("2 days", 172_800),
        ("1 h 30 min", 5_400),
        ("1h, 5m", 3_900),
        ("1 hour and 5 minutes", 3_900),
        ("1w", 604_800),
        (" 5M ", 300),
        ("0.5s", 0.5),
    ],
)
def test_parse_duration_valid_text_returns_seconds(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "-5m", "0", "0m", "1h30", "m", "h1", "1h x", "1e9d", "999999999999w", "400d", "1y", "٣m", "5 10"],
)
def test_parse_duration_invalid_text_raises_invalid(text: str) -> None:
    with pytest.raises(Invalid):
        parse_duration(text)


@given(st.text(max_size=30))
def test_parse_duration_any_text_returns_seconds_in_range_or_raises_invalid(text: str) -> None:
    with suppress(Invalid):
        assert 0 < parse_duration(text) <= MAX_DURATION_SECONDS


@given(st.lists(st.tuples(st.integers(1, 40), st.sampled_from([*SECONDS_PER_UNIT])), min_size=1, max_size=4))
def test_parse_duration_several_parts_returns_their_sum(parts: list[tuple[int, str]]) -> None:
    total = sum(count * SECONDS_PER_UNIT[unit] for count, unit in parts)
    if total <= MAX_DURATION_SECONDS:
        assert parse_duration(" ".join(f"{count}{unit}" for count, unit in parts)) == total
