"""The order of a list, and how a cursor goes on in it.

A page ends with a row's keys and number; the next one holds what is behind them. Ties are broken by number, empty keys
come last in both directions, so that the order is total and no page repeats or misses a row that stays as it is.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any, LiteralString, NamedTuple

import msgspec

from todo_cli.core.filters.urgency import URGENCY
from todo_cli.errors import Invalid
from todo_cli.parsing.filter_vocabulary import suggest

MOST_KEYS = 4
CUT = 200  # rows of an order that moves with the clock: no cursor could go on in it


class Key(NamedTuple):
    """One key: SQL over alias `t`, its type, whether it may be empty, which way it goes."""

    name: str
    sql: LiteralString
    kind: LiteralString
    empty: bool = False
    down: bool = False


def _day(name: LiteralString) -> LiteralString:
    return f"coalesce(t.{name}_at, timezone('UTC', t.{name}_on::timestamp))"


KEYS = {
    key.name: key
    for key in (
        Key("due", "t.due_sort", "timestamptz"),
        Key("priority", "t.priority", "smallint"),
        Key("created", "t.number", "bigint"),
        Key("updated", "t.rev", "bigint"),
        Key("project", "t.project", "text", empty=True),
        # a cursor must stay short: what begins with the same hundred letters is in the order of numbers
        Key("title", """left(lower(t.title COLLATE "default"), 100) COLLATE "C\"""", "text"),
        Key("scheduled", _day("scheduled"), "timestamptz", empty=True),
        Key("defer", _day("defer"), "timestamptz", empty=True),
        Key("completed", "t.completed_at", "timestamptz", empty=True),
        Key("urgency", URGENCY, "numeric", down=True),
        Key("rank", "w.score", "real", down=True),
    )
}
INDEXED = {"due", "priority", "created", "updated"}
MOVING = {"urgency", "rank"}

AFTER: tuple[LiteralString, ...] = tuple(f"after{place}" for place in range(MOST_KEYS + 1))
NAMED: tuple[LiteralString, ...] = tuple(f"k{place}" for place in range(MOST_KEYS + 1))


class Order:
    """The keys that a sort such as `priority,-due` names; raises Invalid."""

    def __init__(self, sort: str) -> None:
        self.sort = sort
        self.keys = [_key(part.strip()) for part in sort.split(",")]
        names = [key.name for key in self.keys]
        if len(names) > MOST_KEYS:
            raise Invalid(f"a sort has at most {MOST_KEYS} keys")
        if len(set(names)) < len(names):
            raise Invalid(f"the sort {sort[:60]!r} names a key twice")
        self.moves = bool(MOVING & set(names))
        if "created" not in names:
            self.keys.append(Key("", "t.number", "bigint", down=self.keys[-1].down and not self.moves))

    @property
    def indexed(self) -> bool:
        """An index that begins with the status has this order, or its beginning."""
        return self.keys[0].name in INDEXED

    def columns(self) -> LiteralString:
        """The keys as columns k0, k1 and so on."""
        return ", ".join(f"{key.sql} AS {NAMED[place]}" for place, key in enumerate(self.keys))

    def by_sql(self) -> LiteralString:
        """ORDER BY over the table."""
        return ", ".join(_ordered(key, key.sql) for key in self.keys)

    def by_name(self) -> LiteralString:
        """ORDER BY over the columns."""
        return ", ".join(_ordered(key, NAMED[place]) for place, key in enumerate(self.keys))

    def key_of(self, row: LiteralString) -> LiteralString:
        """A row's keys as a JSON array of texts."""
        return f"json_build_array({', '.join(f'{row}.{NAMED[place]}::text' for place in range(len(self.keys)))})"

    def cursor(self, keys: list[str | None]) -> str:
        """What names the place behind the row with these keys."""
        return urlsafe_b64encode(msgspec.json.encode([self.sort, keys])).decode().rstrip("=")

    def behind(self, cursor: str) -> tuple[LiteralString, dict[str, Any]]:
        """The condition for what is behind a cursor, and its values; raises Invalid."""
        if self.moves:
            raise Invalid(
                f"there is no next page by {self.sort}, which moves with the clock", hint=f"it is cut at {CUT}"
            )
        given = self._read(cursor)
        values: dict[str, Any] = {AFTER[place]: value for place, value in enumerate(given) if value is not None}
        if len({key.down for key in self.keys}) == 1 and not any(key.empty for key in self.keys):
            # one comparison of rows, which an index understands
            places = ", ".join(_value(place, key) for place, key in enumerate(self.keys))
            return f"({', '.join(key.sql for key in self.keys)}) {_sign(self.keys[0])} ({places})", values
        return self._stepwise(given), values

    def _stepwise(self, given: list[str | None]) -> LiteralString:
        """Behind in the first key, or the same there and behind in the second, and so on."""
        steps: list[LiteralString] = []
        same: list[LiteralString] = []
        for place, (key, value) in enumerate(zip(self.keys, given, strict=True)):
            if value is not None:
                further: LiteralString = f"{key.sql} {_sign(key)} {_value(place, key)}"
                further = f"({further} OR {key.sql} IS NULL)" if key.empty else further
                steps.append(" AND ".join([*same, further]))
            same.append(f"{key.sql} IS NULL" if value is None else f"{key.sql} = {_value(place, key)}")
        first = self.keys[0]
        bound: LiteralString = "" if first.empty else f"{first.sql} {_sign(first)}= {_value(0, first)} AND "
        return f"{bound}({' OR '.join(steps)})"

    def _read(self, cursor: str) -> list[str | None]:
        try:
            padded = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            sort, keys = msgspec.json.decode(padded, type=tuple[str, list[str | None]])
            if sort == self.sort:
                return [_checked(key, text) for key, text in zip(self.keys, keys, strict=True)]
        except (ValueError, msgspec.DecodeError):
            raise Invalid("the cursor is not one of ours", hint="take `next` of the page before") from None
        raise Invalid(f"the cursor belongs to the sort {sort!r}", hint="keep the same options from page to page")


def _key(word: str) -> Key:
    name = word.removeprefix("-")
    if name not in KEYS:
        raise Invalid(f"there is no sort {word[:60]!r}", hint=suggest(name, [*KEYS]) or f"sorts: {', '.join(KEYS)}")
    key = KEYS[name]
    return key._replace(down=not key.down) if word.startswith("-") else key


def _ordered(key: Key, sql: LiteralString) -> LiteralString:
    nulls: LiteralString = " NULLS LAST" if key.empty else ""
    return f"{sql} {'DESC' if key.down else 'ASC'}{nulls}"


def _sign(key: Key) -> LiteralString:
    return "<" if key.down else ">"


def _value(place: int, key: Key) -> LiteralString:
    return f"%({AFTER[place]})s::{key.kind}"


def _checked(key: Key, text: str | None) -> str | None:
    """The key as Postgres reads it for sure; raises ValueError."""
    if text is None:
        if not key.empty:
            raise ValueError(key.name)
        return None
    if key.kind == "text":
        if "\0" in text or len(text) > 100:
            raise ValueError(text)
        return text
    if key.kind == "timestamptz":
        return text if text == "infinity" else datetime.fromisoformat(text).isoformat()
    if not 0 <= int(text) <= (4 if key.kind == "smallint" else 2**63 - 1):
        raise ValueError(text)
    return str(int(text))
