"""A constant statement: `%(name)s` for values, compiled once to the `$1` of the wire protocol."""

from __future__ import annotations

import re
from typing import Any, LiteralString

_VALUE = re.compile(r"%\((\w+)\)s")


class Sql:
    """SQL with named values; the text is a constant, values never become part of it."""

    __slots__ = ("names", "text")

    def __init__(self, text: LiteralString) -> None:
        names: dict[str, int] = {}

        def place(found: re.Match[str]) -> str:
            return f"${names.setdefault(found[1], len(names) + 1)}"

        self.text: str = _VALUE.sub(place, text)
        self.names = tuple(names)

    def values(self, given: dict[str, Any]) -> list[Any]:
        """The values in the order of their places; raises KeyError for one that is missing."""
        return [given[name] for name in self.names]


StatementCall = tuple[Sql, dict[str, Any]]
"""A statement with its values."""
