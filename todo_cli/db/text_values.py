"""Python values in the text form of the wire protocol.

Values travel without a type, so that Postgres takes the type that the statement names. Typed as psycopg types them, an
integer would be int2, int4 or int8 by its size, and each combination of sizes a prepared statement of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from psycopg.errors import CharacterNotInRepertoire


def to_text(value: Any) -> bytes | None:
    """Return a value as Postgres reads it; None is NULL. Raises psycopg's DataError for a NUL character."""
    return None if value is None else _WRITERS[type(value)](value)


def _write_text(value: str) -> bytes:
    data = value.encode()
    if b"\0" in data:
        raise CharacterNotInRepertoire("text cannot contain the NUL character")
    return data


def _write_array(values: list[Any] | tuple[Any, ...]) -> bytes:
    return b"{%s}" % b",".join(map(_write_item, values))


def _write_item(value: Any) -> bytes:
    if isinstance(value, str):
        return b'"%s"' % _write_text(value).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    data = to_text(value)
    return b"NULL" if data is None else data


_WRITERS: dict[type, Callable[[Any], bytes]] = {
    str: _write_text,
    bool: lambda value: b"t" if value else b"f",
    int: b"%d".__mod__,
    float: lambda value: repr(value).encode(),
    bytes: lambda value: b"\\x" + value.hex().encode(),
    date: lambda value: value.isoformat().encode(),
    datetime: lambda value: value.isoformat().encode(),
    list: _write_array,
    tuple: _write_array,
}
