"""Positions of tasks that are ordered by hand: numbers between other numbers.

A task that was never moved stands at its own number, a moved one at a decimal number between its neighbours, so that a
move writes one row. This is fractional indexing (David Greenspan, "Implementing Fractional Indexing",
https://observablehq.com/@dgreensp/implementing-fractional-indexing) with decimals in place of text, since the numbers of
tasks are positions too. The decimals are as few as the gap allows: each move into the same gap needs a third of one.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from todo_cli.core.tasks.rows import TaskRow

MAX_POSITION_DECIMALS = 40
"""Of a new position. Where a gap needs more, the tasks between two whole numbers are spread anew."""

_EXACT = Context(prec=400)


def position_of(row: TaskRow) -> Decimal:
    """Return where the task stands."""
    return Decimal(row.number) if row.position is None else row.position


def stored_position(number: int, position: Decimal) -> Decimal | None:
    """Return the column's value: null for a task that stands at its own number."""
    return None if position == number else position


def shift_position(number: int, moved: str | None) -> Decimal | None:
    """Return the column's value of a task that was moved by so much from its number in another space."""
    return Decimal(number).fma(1, Decimal(moved), _EXACT) if moved else None


def spread_between(lower: Decimal | None, upper: Decimal | None, count: int) -> list[Decimal] | None:
    """Return so many growing positions between two others, spread evenly; None where the gap is too narrow.

    Without an upper end they are the next whole numbers, without a lower end those in front.
    """
    if lower is None and upper is None:
        return [Decimal(place) for place in range(1, count + 1)]
    if upper is None:
        assert lower is not None  # noqa: S101  # the case above
        first = _scale(lower, 0, ROUND_FLOOR) + 1
        return [Decimal(first + place) for place in range(count)]
    if lower is None:
        last = _scale(upper, 0, ROUND_CEILING)
        return [Decimal(last - count + place) for place in range(count)]
    for decimals in range(MAX_POSITION_DECIMALS + 1):
        first = _scale(lower, decimals, ROUND_FLOOR) + 1
        size = _scale(upper, decimals, ROUND_CEILING) - first
        if size >= count:
            chosen = [first + size * (2 * place + 1) // (2 * count) for place in range(count)]
            return [Decimal(number).scaleb(-decimals, _EXACT) for number in chosen]
    return None


def spread_unit(unit: int, count: int) -> list[Decimal]:
    """Return so many positions from a whole number to the next, spread evenly; the first is the number itself."""
    first = Decimal(unit)
    return [first, *(spread_between(first, first + 1, count - 1) or [])] if count > 1 else [first]


def sort_positions(rows: Sequence[TaskRow]) -> list[Decimal]:
    """Return the positions of the rows, growing. Where two are equal, all are spread over the same range anew."""
    places = sorted(position_of(row) for row in rows)
    if len(set(places)) == len(places):
        return places
    first, last, others = places[0], places[-1], len(places) - 1
    spread = spread_between(first, last, others) if last > first else None
    return [first, *(spread or spread_between(first, first + 1, others) or [])]


def _scale(value: Decimal, decimals: int, rounding: str) -> int:
    """Return the value times a power of ten as a whole number."""
    return int(value.scaleb(decimals, _EXACT).to_integral_value(rounding))
