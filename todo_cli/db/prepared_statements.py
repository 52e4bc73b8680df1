"""Which statements are prepared on a connection, and under which names, also behind a pooler.

A pooler in transaction mode gives each transaction another server connection, so a name may be known there already, or
not at all. A name is made from the text of its statement. Hence a name that another client has prepared can only mean
the same statement, and no client can ever run another one's.
"""

from __future__ import annotations

MAX_STATEMENTS = 100  # of a connection, and those of its last round trip


class Preparation:
    """Whether the connections of a process prepare statements at all. All connections of a process share one."""

    def __init__(self, *, is_on: bool = True) -> None:
        self.is_on = is_on


class PreparedStatements:
    """The statements of a connection that were used last, by their text.

    A statement is prepared when it is used for the second time, since most commands use each statement once.
    """

    def __init__(self) -> None:
        self._names: dict[str, bytes | None] = {}  # None: used once, and not prepared

    def find(self, text: str) -> bytes | None:
        """Return the name under which a statement is prepared, None if it is not prepared."""
        return self._names.get(text)

    def count_use(self, text: str) -> bool:
        """Count a use of a statement and return whether it has been used before."""
        is_known = text in self._names
        self._names[text] = self._names.pop(text, None)  # The order is that of the last use.
        return is_known

    def add(self, text: str, name: bytes) -> None:
        """Remember a statement that is prepared now."""
        self._names[text] = name

    def forget_oldest(self) -> list[bytes]:
        """Forget the statements that were used longest ago if there are too many; return the names of the prepared."""
        names = []
        while len(self._names) > MAX_STATEMENTS:
            if name := self._names.pop(next(iter(self._names))):
                names.append(name)
        return names

    def clear(self) -> None:
        """Forget all statements."""
        self._names.clear()


def name_statement(text: str) -> bytes:
    """Return the name of a statement. Its values have no types of their own, so the text determines the statement."""
    from hashlib import sha256

    return b"todo_" + sha256(text.encode()).hexdigest()[:32].encode()
