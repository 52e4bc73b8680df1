"""A filter's terms as conditions over alias `t` of todo.tasks. Texts are constants, values only parameters.

A condition may be null where a field is empty; whoever turns one around says IS NOT TRUE.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

from todo_cli.core.filters.fields_sql import DATES, HAVING, HERE, INSTANTS, NOW, ORDERS, SIGNS, SPACE, STATES, TAGGED
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_ast import FieldTerm, Numbers, TextTerm
from todo_cli.parsing.filter_vocabulary import ANY, NONE, filter_error

# a day lies somewhere within these of its sort key, wherever the user is
SORT_KEY_SLACK = timedelta(hours=38)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

MAX_LISTED_NUMBERS = 10_000  # numbers that travel one by one; more are compared as ranges
MAX_TEXT_MATCHES = 10_000  # what full text gives at most
MAX_SEARCH_WORDS = 16  # what it looks for at once

PARAMETER_NAMES: tuple[LiteralString, ...] = tuple(f"f{place}" for place in range(4_000))


class Conditions:
    """The conditions of one filter, and their values as they gather. `zone` None: the caller named none."""

    def __init__(self, now: datetime, zone: str | None) -> None:
        self.now, self.zone = now, zone
        self.status: LiteralString = "all"
        self.values: dict[str, Any] = {}
        self.finds: list[LiteralString] = []

    def value(self, value: Any, kind: LiteralString) -> LiteralString:
        """A place for a value."""
        name = PARAMETER_NAMES[len(self.values)]
        self.values[name] = value
        return f"%({name})s::{kind}"

    def today(self) -> LiteralString:
        """The day where the asker is."""
        if self.zone is None:
            return HERE
        from todo_cli.parsing.dates import zone_of

        return self.value(self.now.astimezone(zone_of(self.zone)).date(), "date")

    def shown(self) -> LiteralString:
        """Not deferred to later: cheap where nothing is, since both are null."""
        return (
            f"""(t.defer_on IS NULL OR t.defer_on <= {self.today()}) AND (t.defer_at IS NULL OR t.defer_at <= {NOW})"""
        )

    def numbers(self, node: Numbers) -> LiteralString:
        """Tasks by number."""
        if sum(high - low + 1 for low, high in node.ranges) <= MAX_LISTED_NUMBERS:
            listed = [number for low, high in node.ranges for number in range(low, high + 1)]
            return f"t.number = ANY ({self.value(listed, 'bigint[]')})"
        lows, highs = zip(*node.ranges, strict=True)
        least, most = self.value(lows[0], "bigint"), self.value(highs[-1], "bigint")
        each = f"unnest({self.value(list(lows), 'bigint[]')}, {self.value(list(highs), 'bigint[]')}) AS r(low, high)"
        return f"""(t.number BETWEEN {least} AND {most}
          AND EXISTS (SELECT FROM {each} WHERE t.number BETWEEN r.low AND r.high))"""

    def words(self, found: list[TextTerm]) -> LiteralString:
        """Full text: all of them; of a phrase the words first, which an index knows, then side by side."""
        texts = [f"t.number IN (SELECT w.number FROM {self.find(part)} AS w)" for part in _portions(found)]
        return " AND ".join([*texts, *self.phrases(found)])

    def find(self, found: list[TextTerm]) -> LiteralString:
        """What full text finds: number and score."""
        sought = self.value(" ".join(one.text for one in found), "text")
        self.finds.append(f"todo.find({sought}, {MAX_TEXT_MATCHES}, '{self.status}')")
        return self.finds[-1]

    def phrases(self, found: list[TextTerm]) -> list[LiteralString]:
        """Words with spaces between them, as they are."""
        return [self._said(one.text) for one in found if " " in one.text]

    def _said(self, phrase: str) -> LiteralString:
        title, note = self._contains("t.title", phrase), self._contains("t.note", phrase)
        comment: LiteralString = f"EXISTS (SELECT FROM todo.comments c WHERE c.{SPACE} AND c.number = t.number AND {self._contains('c.text', phrase)})"
        return f"({title} OR {note} OR {comment})"

    def match(self, request: FieldTerm) -> LiteralString:
        """One field."""
        if request.field in ("status", "is"):
            return "true" if request.value == "all" else self._state(request.value)
        if request.field == "has":
            return HAVING[request.value]
        if request.value in (NONE, ANY) and request.sign == ":":
            return HAVING[request.field] if request.value == ANY else f"NOT coalesce({HAVING[request.field]}, false)"
        if request.field in DATES:
            return self._dated(request)
        return getattr(self, f"_{request.field}")(request)  # type: ignore[no-any-return]  # every other field of FIELDS has a method

    def any_of(self, found: list[FieldTerm]) -> LiteralString:
        """The same field with one of several values, as one condition that an index may serve."""
        listed = [one.value for one in found]
        if found[0].field == "tag":
            return f"t.number IN (SELECT g.number FROM todo.task_tags g WHERE g.{SPACE} AND g.tag = ANY ({self.value(listed, 'text[]')}))"
        if found[0].field == "priority":
            return f"t.priority = ANY ({self.value([int(one) for one in listed], 'smallint[]')})"
        return f"t.project = ANY ({self.value(listed, 'text[]')})"

    def untagged(self, request: FieldTerm) -> LiteralString:
        """Without that tag: looked up for each row that is shown."""
        return f"NOT EXISTS (SELECT {TAGGED} AND g.tag = {self.value(request.value, 'text')})"

    def _state(self, state: str) -> LiteralString:
        if state == "today":
            return self._dated(FieldTerm("due", ":", "today", -1))
        text = STATES[state]
        return text.replace("{today}", self.today()) if "{today}" in text else text

    def _project(self, request: FieldTerm) -> LiteralString:
        if request.sign == ":" and request.value.endswith((".*", "/*")):
            base = self.value(request.value[:-2], "text")
            # . and / are neighbours, and 0 is the next: one range of the index, for keys are in the order of bytes
            return f"""(t.project >= {base} AND t.project < {base} || '0' AND (t.project = {base} OR t.project >= {base} || '.'))"""
        return f"t.project = {self.value(request.value, 'text')}"

    def _tag(self, request: FieldTerm) -> LiteralString:
        return f"t.number IN (SELECT g.number FROM todo.task_tags g WHERE g.{SPACE} AND g.tag = {self.value(request.value, 'text')})"

    def _title(self, request: FieldTerm) -> LiteralString:
        return self._contains("t.title", request.value)

    def _note(self, request: FieldTerm) -> LiteralString:
        return self._contains("t.note", request.value)

    def _contains(self, column: LiteralString, text: str) -> LiteralString:
        # the database's own idea of upper and lower case: columns of "C" know only ASCII's
        sought = f'lower({self.value(text, "text")} COLLATE "default")'
        return f'position({sought} IN lower({column} COLLATE "default")) > 0'

    def _claimed(self, request: FieldTerm) -> LiteralString:
        held: LiteralString = f"t.claimed_until > {NOW} AND t.claimed_by = "
        if request.value.lower() == "me":
            return f"({held} (SELECT p.name FROM todo.people() p WHERE p.id = %(me)s::uuid))"
        return f"({held} {self.value(request.value, 'text')})"

    def _priority(self, request: FieldTerm) -> LiteralString:
        number = self.value(int(request.value), "smallint")
        if request.sign == ":":
            return f"t.priority = {number}"
        return f"(t.priority {ORDERS[request.sign]} {number} AND t.priority < 4)"

    def _parent(self, request: FieldTerm) -> LiteralString:
        return f"t.parent = {self.value(int(request.value), 'bigint')}"

    def _after(self, request: FieldTerm) -> LiteralString:
        return f"t.number IN (SELECT l.number FROM todo.links l WHERE l.{SPACE} AND l.after = {self.value(int(request.value), 'bigint')})"

    def _dated(self, request: FieldTerm) -> LiteralString:
        if request.field == "done":
            return f"({STATES['done']} AND {self._compared(request)})"
        return self._compared(request)

    def _compared(self, request: FieldTerm) -> LiteralString:
        if request.sign == ":":
            day = self._when(request)
            if isinstance(day, datetime):
                from todo_cli.parsing.dates import zone_of

                day = day.astimezone(zone_of(self.zone or "UTC")).date()
            return f"({self._edge(request.field, '>=', day)} AND {self._edge(request.field, '<=', day)})"
        return f"({self._edge(request.field, request.sign, self._when(request))})"

    def _edge(self, name: str, sign: str, when: date | datetime) -> LiteralString:
        from todo_cli.parsing.dates import day_bounds, zone_of

        zone = self.zone or "UTC"
        if isinstance(when, datetime):
            days, clocks = INSTANTS[sign]
            day, at = when.astimezone(zone_of(zone)).date(), when.astimezone(UTC)
        else:
            days, clocks, edge = SIGNS[">" if sign == "behind" else sign]
            day, at = when, day_bounds(when, zone)[edge]
        on, instant = DATES[name]
        held: LiteralString = f"{instant} {clocks} {self.value(at, 'timestamptz')}"
        if on is None:
            return held
        either: LiteralString = f"({on} {days} {self.value(day, 'date')} OR {held})"
        if name != "due":
            return either
        # the index knows only the sort key, which is near
        late = sign.startswith("<")
        bound = (
            min(LAST - SORT_KEY_SLACK, at) + SORT_KEY_SLACK
            if late
            else max(FIRST + SORT_KEY_SLACK, at) - SORT_KEY_SLACK
        )
        return f"t.due_sort {'<' if late else '>='} {self.value(bound, 'timestamptz')} AND {either}"

    def _when(self, request: FieldTerm) -> date | datetime:
        from todo_cli.parsing.dates import parse_date

        try:
            return parse_date(request.value, zone=self.zone or "UTC", now=self.now)
        except Invalid as error:
            if request.at < 0:
                raise
            raise filter_error(request.at, error.detail, error.hint) from None


def _portions(found: list[TextTerm]) -> list[list[TextTerm]]:
    """As many together as full text looks for at once."""
    portions: list[list[TextTerm]] = []
    held = 0
    for one in found:
        count = len(re.findall(r"\w+", one.text))
        if not portions or held + count > MAX_SEARCH_WORDS:
            portions.append([])
            held = 0
        portions[-1].append(one)
        held += count
    return portions
