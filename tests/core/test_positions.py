"""Positions between positions: always growing, always within the gap, with as few decimals as it allows."""

from __future__ import annotations

import random
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.support.task_rows import make_row
from todo_cli.core.tasks.positions import (
    MAX_POSITION_DECIMALS,
    position_of,
    sort_positions,
    spread_between,
    spread_unit,
)

POSITIONS = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=8)


@given(st.none() | POSITIONS, st.none() | POSITIONS, st.integers(1, 50))
def test_spread_positions_grow_within_the_gap(lower: Decimal | None, upper: Decimal | None, count: int) -> None:
    if lower is not None and upper is not None and lower > upper:
        lower, upper = upper, lower
    spread = spread_between(lower, upper, count)
    if lower is not None and lower == upper:
        assert spread is None
        return
    assert spread is not None
    ends = [*([lower] if lower is not None else []), *spread, *([upper] if upper is not None else [])]
    assert len(spread) == count
    assert all(first < second for first, second in pairwise(ends))


def test_spread_uses_as_few_decimals_as_possible() -> None:
    assert spread_between(Decimal(2), Decimal(3), 1) == [Decimal("2.5")]
    assert spread_between(Decimal(2), Decimal(9), 1) == [Decimal(6)]
    assert spread_between(Decimal("2.5"), Decimal("2.6"), 1) == [Decimal("2.55")]
    assert spread_between(Decimal(5), None, 2) == [Decimal(6), Decimal(7)]
    assert spread_between(None, Decimal(1), 2) == [Decimal(-1), Decimal(0)]


@given(st.integers(0, 2**32))
def test_hundred_moves_into_one_gap_fit(seed: int) -> None:
    chance = random.Random(seed)
    lower, upper = Decimal(1), Decimal(2)
    for _ in range(100):
        spread = spread_between(lower, upper, 1)
        assert spread is not None
        assert -spread[0].as_tuple().exponent <= MAX_POSITION_DECIMALS  # type: ignore[operator]
        lower, upper = (lower, spread[0]) if chance.random() < 0.5 else (spread[0], upper)


@given(st.integers(-5, 10**12), st.integers(1, 1000))
def test_spread_unit_begins_at_the_number_and_ends_before_the_next(unit: int, count: int) -> None:
    places = spread_unit(unit, count)
    assert (len(places), len(set(places)), places[0]) == (count, count, unit)
    assert places == sorted(places)
    assert places[-1] < unit + 1


@given(st.lists(st.none() | st.integers(1, 4), min_size=1, max_size=8))
def test_sorted_positions_differ_even_where_tasks_stand_at_one_place(stored: list[int | None]) -> None:
    rows = [
        make_row(number, position=None if place is None else Decimal(place)) for number, place in enumerate(stored, 1)
    ]
    places = sort_positions(rows)
    assert len(set(places)) == len(rows)
    assert places == sorted(places)
    assert places[0] == min(map(position_of, rows))
