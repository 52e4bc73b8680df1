"""Compile the terms of a filter that compare a date with a day, an instant, or a whole week, month, quarter or year."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

from todo_cli.contract.clock import Clock
from todo_cli.core.filters.fields_sql import DATES, INSTANT_COMPARISONS, SIGNS
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import FieldTerm
from todo_cli.parsing.filter_vocabulary import filter_error

# In every time zone, a day lies within this distance of its sort key.
SORT_KEY_SLACK = timedelta(hours=38)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


class DateConditions:
    """Conditions over the columns of `DATES`. `add_value` adds a parameter of a type and returns its placeholder."""

    def __init__(self, clock: Clock, add_value: Callable[[Any, LiteralString], LiteralString]) -> None:
        self._clock, self._add_value = clock, add_value
        self.has_instant = False

    def match(self, term: FieldTerm) -> LiteralString:
        """Return the condition of a term; raises Invalid."""
        if period := self._find_period(term):
            return self._compare_period(term, *period)
        when = self._parse_date(term)
        self.has_instant |= isinstance(when, datetime)
        if term.sign != ":":
            return f"({self._compare_bound(term.field, term.sign, when)})"
        if isinstance(when, datetime):
            from todo_cli.parsing.dates import zone_of

            when = when.astimezone(zone_of(self._clock.zone)).date()
        return f"({self._compare_bound(term.field, '>=', when)} AND {self._compare_bound(term.field, '<=', when)})"

    def _find_period(self, term: FieldTerm) -> tuple[date, date] | None:
        from todo_cli.parsing.dates import find_period_bounds

        clock = self._clock
        return find_period_bounds(term.value, zone=clock.zone, now=clock.now, week_start=clock.week_start)

    def _compare_period(self, term: FieldTerm, first: date, last: date) -> LiteralString:
        """Compare a date field with a week, month, quarter or year: with its first day, its last, or both."""
        if term.sign == ":":
            return f"({self._compare_bound(term.field, '>=', first)} AND {self._compare_bound(term.field, '<=', last)})"
        day = first if term.sign in ("<", ">=") else last
        return f"({self._compare_bound(term.field, term.sign, day)})"

    def _compare_bound(self, name: str, sign: str, when: date | datetime) -> LiteralString:
        """Compare a date field with one day or instant."""
        from todo_cli.parsing.dates import day_bounds, zone_of

        zone = self._clock.zone
        if isinstance(when, datetime):
            day_sign, instant_sign = INSTANT_COMPARISONS[sign]
            day, at = when.astimezone(zone_of(zone)).date(), when.astimezone(UTC)
        else:
            day_sign, instant_sign, edge = SIGNS[">" if sign == "behind" else sign]
            day, at = when, day_bounds(when, zone)[edge]
        day_column, instant_column = DATES[name]
        instant: LiteralString = f"{instant_column} {instant_sign} {self._add_value(at, 'timestamptz')}"
        if day_column is None:
            return instant
        either: LiteralString = f"({day_column} {day_sign} {self._add_value(day, 'date')} OR {instant})"
        return f"{self._sort_key_bound(sign, at)} AND {either}" if name == "due" else either

    def _sort_key_bound(self, sign: str, at: datetime) -> LiteralString:
        """Narrow down by the sort key of due dates, which is indexed and near the true instant."""
        is_upper = sign.startswith("<")
        bound = min(LAST - SORT_KEY_SLACK, at) + SORT_KEY_SLACK
        bound = bound if is_upper else max(FIRST + SORT_KEY_SLACK, at) - SORT_KEY_SLACK
        return f"t.due_sort {'<' if is_upper else '>='} {self._add_value(bound, 'timestamptz')}"

    def _parse_date(self, term: FieldTerm) -> date | datetime:
        from todo_cli.parsing.dates import parse_date

        try:
            return parse_date(term.value, zone=self._clock.zone, now=self._clock.now, week_start=self._clock.week_start)
        except Invalid as error:
            if term.at < 0:
                raise
            raise filter_error(term.at, error.detail, error.hint) from None
