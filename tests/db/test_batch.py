"""Several rules in one transaction: in order, few round trips, and what Postgres refuses of one is taken back alone."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.conftest import Database
from tests.support.connections import Line
from tests.support.counting_proxy import Proxy
from todo_cli.contract.base import Caller, Secret
from todo_cli.contract.tasks import AddTask
from todo_cli.db.batch import RELEASE, RequestBatch
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import TAKE_BACK, Transaction
from todo_cli.errors import Conflict, Invalid, TodoError

ADD = Sql("UPDATE todo.spaces SET next_number = next_number + 1 WHERE id = %(space)s::uuid RETURNING next_number::text")
LOOK = Sql("SELECT next_number::text FROM todo.spaces WHERE id = %(space)s::uuid")
BAD = Sql("SELECT 1 / (next_number - next_number) FROM todo.spaces WHERE id = %(space)s::uuid")

Rule = Callable[[Transaction], Coroutine[Any, Any, Any]]


async def adds(tx: Transaction) -> int:
    return int(await tx.answer(ADD) or 0)


async def looks_first(tx: Transaction) -> tuple[int, int]:
    async with tx.steps() as steps:
        return int(await steps.run(LOOK) or 0), int(await steps.finish(ADD) or 0)


async def asks_twice(tx: Transaction) -> tuple[int, int]:
    return int(await tx.answer(LOOK) or 0), int(await tx.answer(LOOK) or 0)


async def is_refused(tx: Transaction) -> str | None:
    return await tx.answer(BAD)


async def looks_badly(tx: Transaction) -> str | None:
    async with tx.steps() as steps:
        return await steps.run(BAD)


async def gives_up(tx: Transaction) -> None:
    await tx.answer(LOOK)
    raise Conflict("no")


async def says_nothing(tx: Transaction) -> None:
    raise Conflict("never")


@pytest.fixture
def far(db: Database) -> Iterator[tuple[Proxy, Line]]:
    who = db.person()
    with (
        closing(Proxy(who.database_url)) as proxy,
        closing(Line(proxy.through(who.database_url), who)) as line,
    ):
        yield proxy, line


def together(line: Line, *rules: Rule, behind: tuple[Sql, ...] = (), commits: bool = False) -> list[Any]:
    """What each answers, or its error, and what stands in the end."""

    async def run() -> list[Any]:
        tx = Transaction(line.connection, Caller(token=Secret(line.who.token), way="test"), AddTask)
        async with tx.steps() as steps:
            await steps.run(LOOK)
            with RequestBatch(tx, *behind) as going:
                for rule in rules:
                    await going.add(AddTask, rule)
                if commits:
                    await going.finish(LOOK)
                else:
                    await going.settle()
                    going.going[-1].behind += [await steps.finish(LOOK)]
            return [one.error or one.answer for one in going.going] + going.going[-1].behind[-1:]

    return line.runner.run(run())


def test_many_cost_what_one_costs_and_each_look_one_more(far: tuple[Proxy, Line]) -> None:
    proxy, line = far
    expected: dict[tuple[Rule, ...], int] = {
        (adds,): 3, (adds,) * 9: 3, (adds, looks_first): 4, (adds, looks_first, adds, looks_first, adds): 5,
    }  # fmt: skip
    for rules, trips in expected.items():
        together(line, *rules)  # prepares
        proxy.reset()
        together(line, *rules)
        assert proxy.turns == trips, rules


def test_each_sees_what_those_before_it_did(far: tuple[Proxy, Line]) -> None:
    line = far[1]
    assert together(line, adds, looks_first, adds, asks_twice) == [2, (2, 3), 4, (4, 4), "4"]
    assert together(line, adds, looks_first, commits=True)[:2] == [5, (5, 6)]
    assert together(line, looks_first) == [(6, 7), "7"]


def test_what_is_read_behind_each_may_take_it_back(far: tuple[Proxy, Line]) -> None:
    line = far[1]
    behind = (LOOK, TAKE_BACK, RELEASE)
    assert together(line, adds, looks_first, adds, behind=behind) == [2, (1, 2), 2, "1"]


def test_one_that_is_refused_is_taken_back_alone(far: tuple[Proxy, Line]) -> None:
    line = far[1]
    found = together(line, adds, is_refused, adds, looks_badly, gives_up, says_nothing, is_refused, adds)
    assert [type(one) if isinstance(one, TodoError) else one for one in found] == [
        2, Invalid, 3, Invalid, Conflict, Conflict, Invalid, 4, "4",
    ]  # fmt: skip
    assert [type(one) for one in together(line, is_refused)] == [Invalid, str]
    assert together(line, adds) == [5, "5"]


def test_refused_at_the_end_nothing_of_it_stands(far: tuple[Proxy, Line]) -> None:
    line = far[1]
    with pytest.raises(Invalid):
        together(line, adds, is_refused, commits=True)
    assert together(line, adds) == [2, "2"]
