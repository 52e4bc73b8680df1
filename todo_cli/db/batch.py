"""Several Requests' rules in one transaction, one after another, in few round trips.

What a rule says last is held back and goes with what the next one says: only one that looks before it writes waits. A
rule's own refusal has changed nothing, here as outside; what Postgres refuses is taken back, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, NamedTuple

import psycopg

from todo_cli.contract.base import Request
from todo_cli.db.pipeline import Row, tried
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import COMMIT, ENTER, SAVEPOINT, TAKE_BACK, ConnectionLost, Transaction, told
from todo_cli.errors import TodoError, Unavailable

RELEASE = Sql("RELEASE SAVEPOINT before_inner")

Given = tuple[Sql, dict[str, Any]]


class _Asked(NamedTuple):
    statements: list[Sql]
    values: dict[str, Any]
    looks: bool

    def __await__(self) -> Generator[_Asked, str | None, str | None]:
        return (yield self)


async def _aside(statements: list[Sql], values: dict[str, Any], looks: bool) -> str | None:
    return await _Asked(statements, values, looks)


class BatchItem:
    """One rule: its answer or its error, once it has ended; `behind`: what was read behind its last statement."""

    def __init__(self, rule: Coroutine[Any, Any, Any]) -> None:
        self._rule = rule
        self.asked: _Asked | None = None
        self.answer: Any = None
        self.error: TodoError | None = None
        self.behind: list[str | None] = []

    def go(self, heard: str | TodoError | None) -> None:
        """Up to what it asks next. Raises Lost and Unavailable: then there is no transaction any more."""
        self.asked = None
        try:
            self.asked = self._rule.throw(heard) if isinstance(heard, TodoError) else self._rule.send(heard)
        except StopIteration as end:
            self.answer = end.value
        except (ConnectionLost, Unavailable):
            raise
        except TodoError as error:
            self.error = error

    def close(self) -> None:
        """Given up, wherever it stands."""
        self._rule.close()


class RequestBatch:
    """The rules, in order, within an open transaction; `behind` goes behind the last statement of each."""

    def __init__(self, tx: Transaction, *behind: Sql) -> None:
        self._tx, self._behind = tx, behind or (RELEASE,)
        self._held: list[BatchItem] = []
        self.going: list[BatchItem] = []

    def __enter__(self) -> RequestBatch:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self.going:
            one.close()

    async def add(
        self, request: type[Request[Any]], rule: Callable[[Transaction], Coroutine[Any, Any, Any]], *,
        key: str | None = None, within: str | None = None,
    ) -> BatchItem:  # fmt: skip
        """One more, as in `Transaction.inner`; what it looks at is as those before it have left it."""
        inner = self._tx.inner(request, key, enter=True, within=within)
        inner.aside = _aside
        going = BatchItem(rule(inner))
        self.going.append(going)
        going.go(None)
        if not going.asked:  # nothing was sent, not even the savepoint
            self._tx._before = inner._before[: inner._before.index(SAVEPOINT)]
        while going.asked and going.asked.looks:
            self._held.append(going)
            await self.settle()
        if going.asked and going not in self._held:
            self._held.append(going)
        return going

    async def settle(self) -> None:
        """Send what is held back; whom Postgres refuses has its error, and costs one round trip more."""
        while self._held:
            held, self._held = self._held, []
            before: list[Given] = [(sql, self._tx.values) for sql in self._tx._before]
            self._tx._before = []
            groups = [self._group(one) for one in held]
            rows, error = await self._exchanged([*before, *(one for group in groups for one in group)])
            rows = rows[len(before) :]
            for place, (one, group) in enumerate(zip(held, groups, strict=True)):
                if error and len(rows) < len(group):
                    self._tx._before, self._held = [TAKE_BACK], held[place + 1 :]
                    one.go(told(error))
                    break
                self._heard(one, rows[: len(group)])
                rows = rows[len(group) :]

    async def finish(self, *statements: Sql, **values: Any) -> None:
        """The transaction's last, and its commit, with what is held back. Raises whatever of it was refused."""
        before = [(sql, self._tx.values) for sql in self._tx._before]
        groups = [self._group(one) for one in self._held]
        last = [(sql, self._tx.values | values) for sql in (*statements, COMMIT)]
        rows, error = await self._exchanged([*before, *(one for group in groups for one in group), *last])
        if error:
            raise told(error)
        self._tx._open, self._tx._before = False, [ENTER]
        rows = rows[len(before) :]
        for one, group in zip(self._held, groups, strict=True):
            self._heard(one, rows[: len(group)])
            rows = rows[len(group) :]

    def _group(self, one: BatchItem) -> list[Given]:
        asked = one.asked or _Asked([], {}, looks=False)
        return [(sql, asked.values) for sql in (*asked.statements, *(() if asked.looks else self._behind))]

    def _heard(self, one: BatchItem, rows: list[Row | None]) -> None:
        asked = one.asked or _Asked([], {}, looks=False)
        texts = [None if row is None else row[0] for row in rows]
        one.behind = texts[len(asked.statements) :]
        one.go(texts[len(asked.statements) - 1])
        if one.asked and not asked.looks:  # it had more to say than it let on
            one.asked = one.asked._replace(statements=[SAVEPOINT, *one.asked.statements])
            self._held.append(one)

    async def _exchanged(self, given: list[Given]) -> tuple[list[Row | None], psycopg.Error | None]:
        try:
            return await tried(self._tx._connection, [(sql, sql.values(values)) for sql, values in given])
        except psycopg.Error as error:
            raise told(error) from error
