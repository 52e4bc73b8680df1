"""The order of a list, and the cursors that continue it.

A cursor contains the sort keys and the number of the last row of a page; the next page begins behind them. Ties are
broken by number and empty keys come last in both directions, so that the order is total: no page repeats or misses a
row that stays the same.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec

from todo_cli.core.filters.urgency import URGENCY
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_vocabulary import suggest

MAX_SORT_KEYS = 4
MAX_VOLATILE_ROWS = 200  # of an order that changes with the clock, which no cursor can continue
_POSITION = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,100})?")
MAX_TEXT_KEY_CHARS = 302  # of a project: its key of todo.sort_key(), a separator, the name


class SortKey(NamedTuple):
    """One sort key: SQL over the alias `t`, its type, whether it may be null, and its direction."""

    name: str
    sql: LiteralString
    kind: LiteralString
    nullable: bool = False
    descending: bool = False


def _day_or_instant(name: LiteralString) -> LiteralString:
    return f"coalesce(t.{name}_at, timezone('UTC', t.{name}_on::timestamp))"


KEYS = {
    key.name: key
    for key in (
        SortKey("due", "t.due_sort", "timestamptz"),
        SortKey("priority", "t.priority", "smallint"),
        SortKey("created", "t.number", "bigint"),
        SortKey("updated", "t.rev", "bigint"),
        SortKey("project", "t.project_key", "text", nullable=True),
        SortKey("title", "t.title_key", "text"),
        SortKey("scheduled", _day_or_instant("scheduled"), "timestamptz", nullable=True),
        SortKey("defer", _day_or_instant("defer"), "timestamptz", nullable=True),
        SortKey("completed", "t.completed_at", "timestamptz", nullable=True),
        SortKey("urgency", URGENCY, "numeric", descending=True),
        SortKey("rank", "w.score", "real", descending=True),
        SortKey("position", "coalesce(t.position, t.number)", "numeric"),
    )
}
INDEXED = {"due", "priority", "created", "updated", "title"}
VOLATILE = {"urgency", "rank"}

CURSOR_VALUES: tuple[LiteralString, ...] = tuple(f"after{place}" for place in range(MAX_SORT_KEYS + 1))
COLUMNS: tuple[LiteralString, ...] = tuple(f"k{place}" for place in range(MAX_SORT_KEYS + 1))


class Order:
    """The order by a sort such as `priority,-due`; raises Invalid."""

    def __init__(self, sort: str) -> None:
        self.sort = sort
        self.keys = [_parse_key(part.strip()) for part in sort.split(",")]
        names = [key.name for key in self.keys]
        if len(names) > MAX_SORT_KEYS:
            raise Invalid(f"a sort has at most {MAX_SORT_KEYS} keys")
        if len(set(names)) < len(names):
            raise Invalid(f"the sort {sort[:60]!r} names a key twice")
        self.is_volatile = bool(VOLATILE & set(names))
        if "created" not in names:
            self.keys.append(
                SortKey("", "t.number", "bigint", descending=self.keys[-1].descending and not self.is_volatile)
            )

    @property
    def is_by_hand(self) -> bool:
        """Whether this is the order by position alone, of which `halves` have two indexes."""
        return self.keys[0].name == "position" and len(self.keys) == 2 and not self.keys[0].descending

    def halves(self, *, is_continued: bool) -> list[tuple[LiteralString, LiteralString]]:
        """Return the conditions and the ORDER BY lists of an order by hand: of tasks that were moved, and of the others."""
        after: LiteralString = f"{_cursor_value(0, self.keys[0])}"
        moved: LiteralString = f" AND t.position >= {after}" if is_continued else ""
        others: LiteralString = f" AND t.number >= floor({after})::bigint" if is_continued else ""
        return [
            (f"t.position IS NOT NULL{moved}", "t.position, t.number"),
            (f"t.position IS NULL{others}", "t.number"),
        ]

    @property
    def is_indexed(self) -> bool:
        """Whether an index that begins with the status has this order, or its first key."""
        return self.keys[0].name in INDEXED

    def columns(self) -> LiteralString:
        """Return the keys as columns k0, k1 and so on."""
        return ", ".join(f"{key.sql} AS {COLUMNS[place]}" for place, key in enumerate(self.keys))

    def order_by(self) -> LiteralString:
        """Return the ORDER BY list over the table."""
        return ", ".join(_order_term(key, key.sql) for key in self.keys)

    def order_by_columns(self) -> LiteralString:
        """Return the ORDER BY list over the columns k0, k1 and so on."""
        return ", ".join(_order_term(key, COLUMNS[place]) for place, key in enumerate(self.keys))

    def keys_json(self, row: LiteralString) -> LiteralString:
        """Return SQL for the keys of a row as a JSON array of texts."""
        return f"json_build_array({', '.join(f'{row}.{COLUMNS[place]}::text' for place in range(len(self.keys)))})"

    def make_cursor(self, keys: list[str | None]) -> str:
        """Return the cursor for the place behind the row with these keys."""
        return urlsafe_b64encode(msgspec.json.encode([self.sort, keys])).decode().rstrip("=")

    def continue_after(self, cursor: str) -> tuple[LiteralString, dict[str, Any]]:
        """Return the condition for the rows behind a cursor, and its values; raises Invalid."""
        if self.is_volatile:
            raise Invalid(
                f"a list by {self.sort} has no next page, since its order changes with the clock",
                hint=f"it ends after {MAX_VOLATILE_ROWS} tasks",
            )
        keys = self._read(cursor)
        values: dict[str, Any] = {CURSOR_VALUES[place]: value for place, value in enumerate(keys) if value is not None}
        if len({key.descending for key in self.keys}) == 1 and not any(key.nullable for key in self.keys):
            # one comparison of rows, which can be an index condition
            places = ", ".join(_cursor_value(place, key) for place, key in enumerate(self.keys))
            return f"({', '.join(key.sql for key in self.keys)}) {_operator(self.keys[0])} ({places})", values
        return self._compare_stepwise(keys), values

    def _compare_stepwise(self, keys: list[str | None]) -> LiteralString:
        """Return the condition: behind in the first key, or equal there and behind in the second, and so on."""
        steps: list[LiteralString] = []
        same: list[LiteralString] = []
        for place, (key, value) in enumerate(zip(self.keys, keys, strict=True)):
            if value is not None:
                further: LiteralString = f"{key.sql} {_operator(key)} {_cursor_value(place, key)}"
                further = f"({further} OR {key.sql} IS NULL)" if key.nullable else further
                steps.append(" AND ".join([*same, further]))
            same.append(f"{key.sql} IS NULL" if value is None else f"{key.sql} = {_cursor_value(place, key)}")
        first = self.keys[0]
        bound: LiteralString = (
            "" if first.nullable else f"{first.sql} {_operator(first)}= {_cursor_value(0, first)} AND "
        )
        return f"{bound}({' OR '.join(steps)})"

    def _read(self, cursor: str) -> list[str | None]:
        sort, keys = _decode_cursor(cursor)
        if sort == self.sort:
            try:
                return [_check_value(key, text) for key, text in zip(self.keys, keys, strict=True)]
            except ValueError:
                raise _invalid_cursor() from None
        raise Invalid(f"the cursor belongs to the sort {sort!r}", hint="pass the same options for every page")


def read_sort(cursor: str) -> str:
    """Return the sort of the page before; raises Invalid."""
    return _decode_cursor(cursor)[0]


def _decode_cursor(cursor: str) -> tuple[str, list[str | None]]:
    try:
        padded = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(padded, type=tuple[str, list[str | None]])
    except (ValueError, msgspec.DecodeError):
        raise _invalid_cursor() from None


def _invalid_cursor() -> Invalid:
    return Invalid("the cursor is invalid", hint="pass the `next` of the page before")


def _parse_key(word: str) -> SortKey:
    name = word.removeprefix("-")
    if name not in KEYS:
        raise Invalid(f"unknown sort {word[:60]!r}", hint=suggest(name, [*KEYS]) or f"sorts: {', '.join(KEYS)}")
    key = KEYS[name]
    return key._replace(descending=not key.descending) if word.startswith("-") else key


def _order_term(key: SortKey, sql: LiteralString) -> LiteralString:
    nulls: LiteralString = " NULLS LAST" if key.nullable else ""
    return f"{sql} {'DESC' if key.descending else 'ASC'}{nulls}"


def _operator(key: SortKey) -> LiteralString:
    return "<" if key.descending else ">"


def _cursor_value(place: int, key: SortKey) -> LiteralString:
    return f"%({CURSOR_VALUES[place]})s::{key.kind}"


def _check_value(key: SortKey, text: str | None) -> str | None:
    """Return the value as Postgres reads it without an error; raises ValueError."""
    if text is None:
        if not key.nullable:
            raise ValueError(key.name)
        return None
    if key.kind == "text":
        if "\0" in text or len(text) > MAX_TEXT_KEY_CHARS:
            raise ValueError(text)
        return text
    if key.kind == "timestamptz":
        return text if text == "infinity" else datetime.fromisoformat(text).isoformat()
    if key.kind == "numeric":
        return _check_position(text)
    if not 0 <= int(text) <= (4 if key.kind == "smallint" else 2**63 - 1):
        raise ValueError(text)
    return str(int(text))


def _check_position(text: str) -> str:
    if not _POSITION.fullmatch(text):
        raise ValueError(text)
    return text
