"""Compile the terms of a filter to conditions over alias `t` of todo.tasks. SQL is constant; values are parameters.

A condition may be null where a field is empty, so its negation is written `(…) IS NOT TRUE`.
"""

from __future__ import annotations

import re
from typing import Any, LiteralString

from todo_cli.contract.clock import Clock
from todo_cli.core.filters.date_sql import DateConditions
from todo_cli.core.filters.fields_sql import (
    DATES,
    HAS,
    NOW,
    ORDERS,
    SPACE,
    STATES,
    TAGGED,
    TODAY,
)
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import FieldTerm, Numbers, TextTerm
from todo_cli.parsing.filter_vocabulary import ANY, NONE, filter_error

MAX_LISTED_NUMBERS = 10_000  # more numbers than this are compared as ranges
MAX_TEXT_MATCHES = 10_000
MAX_SEARCH_WORDS = 16  # in one call of full-text search

PARAMETER_NAMES: tuple[LiteralString, ...] = tuple(f"f{place}" for place in range(4_000))


class Conditions:
    """The conditions of one filter, and the parameters they collect; without dates the filter needs no `clock`."""

    def __init__(self, clock: Clock | None, zone: str | None, *, is_past: bool = False) -> None:
        self._clock, self._zone, self._is_past = clock, zone, is_past
        self.status: LiteralString = "all"
        self.values: dict[str, Any] = {}
        self.finds: list[LiteralString] = []
        self.has_instant = False
        """True when a date term names an instant, such as `2h`, which is another one at every moment."""

    def value(self, value: Any, kind: LiteralString) -> LiteralString:
        """Add a parameter and return its placeholder."""
        name = PARAMETER_NAMES[len(self.values)]
        self.values[name] = value
        return f"%({name})s::{kind}"

    @property
    def clock(self) -> Clock:
        """Return the clock by which the filter's dates are read."""
        assert self._clock  # noqa: S101  # the compiler has looked for dates
        return self._clock

    def today(self) -> LiteralString:
        """Return the user's current day."""
        if self._zone is None:
            return TODAY
        return f"(SELECT ({NOW} AT TIME ZONE {self.value(self._zone, 'text')})::date)"

    def not_deferred(self) -> LiteralString:
        """Match tasks that are not deferred to a later date. Cheap for most tasks, whose two columns are null."""
        return f"""(t.defer_on IS NULL OR t.defer_on <= {self.today()})
          AND (t.defer_at IS NULL OR t.defer_at <= {NOW})"""

    def match_deferred(self) -> tuple[LiteralString, LiteralString]:
        """Match tasks that are deferred to a later day, and those that are deferred to a later instant."""
        return f"t.defer_on > {self.today()}", f"t.defer_at > {NOW}"

    def numbers(self, node: Numbers) -> LiteralString:
        """Match tasks by number."""
        if sum(high - low + 1 for low, high in node.ranges) <= MAX_LISTED_NUMBERS:
            listed = [number for low, high in node.ranges for number in range(low, high + 1)]
            return f"t.number = ANY ({self.value(listed, 'bigint[]')})"
        lows, highs = zip(*node.ranges, strict=True)
        least, most = self.value(lows[0], "bigint"), self.value(highs[-1], "bigint")
        low_array, high_array = self.value(list(lows), "bigint[]"), self.value(list(highs), "bigint[]")
        return f"""(t.number BETWEEN {least} AND {most}
          AND EXISTS (SELECT FROM unnest({low_array}, {high_array}) AS r(low, high)
                       WHERE t.number BETWEEN r.low AND r.high))"""

    def words(self, terms: list[TextTerm]) -> LiteralString:
        """Match tasks that contain every word. A phrase is found by its words first, which an index serves."""
        calls = [self.find(batch) for batch in _batches(terms)]
        clauses = [f"t.number IN (SELECT w.number FROM {call} AS w)" for call in calls]
        return " AND ".join([*clauses, *self.phrases(terms)])

    def find(self, terms: list[TextTerm]) -> LiteralString:
        """Return a call of full-text search, which returns numbers and scores."""
        text = " ".join(term.text for term in terms)
        call: LiteralString = f"todo.search_tasks({self.value(text, 'text')}, {MAX_TEXT_MATCHES}, '{self.status}')"
        if self._is_past:
            from todo_cli.core.history.past_search import search_past

            call = search_past(call, self.value(re.findall(r"\w+", text), "text[]"))
        self.finds.append(call)
        return call

    def phrases(self, terms: list[TextTerm]) -> list[LiteralString]:
        """Match each phrase literally."""
        return [self._phrase(term.text) for term in terms if " " in term.text]

    def _phrase(self, phrase: str) -> LiteralString:
        title, note = self._contains("t.title", phrase), self._contains("t.note", phrase)
        comment = self._contains("c.text", phrase)
        return f"""({title} OR {note} OR EXISTS (
          SELECT FROM todo.comments c
           WHERE c.{SPACE} AND c.number = t.number AND {comment}))"""

    def field(self, term: FieldTerm) -> LiteralString:
        """Match one field."""
        if term.field in ("status", "is"):
            return "true" if term.value == "all" else self._state(term.value)
        if term.field == "has":
            return HAS[term.value]
        if term.value in (NONE, ANY) and term.sign == ":":
            return HAS[term.field] if term.value == ANY else f"NOT coalesce({HAS[term.field]}, false)"
        if term.field in DATES:
            return self._date(term)
        return getattr(self, f"_match_{term.field}")(term)  # type: ignore[no-any-return]  # every other field has a method

    def any_of(self, terms: list[FieldTerm]) -> LiteralString:
        """Match one field against several values in one condition that an index can serve."""
        values = [term.value for term in terms]
        if terms[0].field == "tag":
            return f"""t.number IN (
              SELECT g.number FROM todo.task_tags g
               WHERE g.{SPACE} AND g.tag = ANY ({self.value(values, "text[]")}))"""
        if terms[0].field == "priority":
            return f"t.priority = ANY ({self.value([int(value) for value in values], 'smallint[]')})"
        return f"t.project = ANY ({self.value(values, 'text[]')})"

    def without_tag(self, term: FieldTerm) -> LiteralString:
        """Match tasks without a tag, which is looked up for each row of the result."""
        return f"NOT EXISTS (SELECT {TAGGED} AND g.tag = {self.value(term.value, 'text')})"

    def _state(self, state: str) -> LiteralString:
        if state == "today":
            return self._date(FieldTerm("due", ":", "today", -1))
        sql = STATES[state]
        return sql.replace("{today}", self.today()) if "{today}" in sql else sql

    def _match_project(self, term: FieldTerm) -> LiteralString:
        if term.sign == ":" and term.value.endswith((".*", "/*")):
            base = self.value(term.value[:-2], "text")
            # "." and "/" are neighbours and "0" comes next, so the keys, sorted by bytes, are one range of the index.
            return f"""(t.project >= {base} AND t.project < {base} || '0'
              AND (t.project = {base} OR t.project >= {base} || '.'))"""
        return f"t.project = {self.value(term.value, 'text')}"

    def _match_tag(self, term: FieldTerm) -> LiteralString:
        return f"""t.number IN (
          SELECT g.number FROM todo.task_tags g
           WHERE g.{SPACE} AND g.tag = {self.value(term.value, "text")})"""

    def _match_title(self, term: FieldTerm) -> LiteralString:
        return self._contains("t.title", term.value)

    def _match_note(self, term: FieldTerm) -> LiteralString:
        return self._contains("t.note", term.value)

    def _contains(self, column: LiteralString, text: str) -> LiteralString:
        # The database's default collation folds every letter; columns of collation "C" fold only ASCII.
        needle = f'lower({self.value(text, "text")} COLLATE "default")'
        return f'position({needle} IN lower({column} COLLATE "default")) > 0'

    def _match_claimed(self, term: FieldTerm) -> LiteralString:
        return f"(t.claimed_until > {NOW} AND t.claimed_by = {self._member(term)})"

    def _match_assigned(self, term: FieldTerm) -> LiteralString:
        return f"t.assigned_to = {self._member(term)}"

    def _member(self, term: FieldTerm) -> LiteralString:
        """Return the name of a member, of `me` the caller's."""
        if term.value.lower() == "me":
            return "(SELECT p.name FROM todo.find_members(ARRAY[%(me)s::uuid]) p)"
        return self.value(term.value, "text")

    def _match_priority(self, term: FieldTerm) -> LiteralString:
        number = self.value(int(term.value), "smallint")
        if term.sign == ":":
            return f"t.priority = {number}"
        return f"(t.priority {ORDERS[term.sign]} {number} AND t.priority < 4)"

    def _match_parent(self, term: FieldTerm) -> LiteralString:
        return f"t.parent = {self.value(int(term.value), 'bigint')}"

    def _match_discovered(self, term: FieldTerm) -> LiteralString:
        return f"t.discovered_from = {self.value(int(term.value), 'bigint')}"

    def _match_after(self, term: FieldTerm) -> LiteralString:
        return f"""t.number IN (
          SELECT l.number FROM todo.links l
           WHERE l.{SPACE} AND l.after = {self.value(int(term.value), "bigint")})"""

    def _match_every(self, term: FieldTerm) -> LiteralString:
        from todo_cli.parsing.recurrence import parse_recurrence

        try:
            found = parse_recurrence(
                term.value, zone=self.clock.zone, now=self.clock.now, week_start=self.clock.week_start
            )
        except Invalid as error:
            raise filter_error(term.at, error.detail, error.hint) from None
        rule, from_done = self.value(found.rule, "text"), self.value(found.from_done, "boolean")
        return f"(t.repeat ->> 'rule' = {rule} AND (t.repeat ->> 'from_done')::boolean = {from_done})"

    def _date(self, term: FieldTerm) -> LiteralString:
        if term.field == "done":
            return f"({STATES['done']} AND {self._match_date(term)})"
        return self._match_date(term)

    def _match_date(self, term: FieldTerm) -> LiteralString:
        dates = DateConditions(self.clock, self.value)
        condition = dates.match(term)
        self.has_instant |= dates.has_instant
        return condition


def _batches(terms: list[TextTerm]) -> list[list[TextTerm]]:
    """Group terms so that no group has more words than one full-text search accepts."""
    batches: list[list[TextTerm]] = []
    words = 0
    for term in terms:
        count = len(re.findall(r"\w+", term.text))
        if not batches or words + count > MAX_SEARCH_WORDS:
            batches.append([])
            words = 0
        batches[-1].append(term)
        words += count
    return batches
