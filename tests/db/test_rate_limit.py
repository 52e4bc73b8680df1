"""The limit a minute: counted in the database, without anybody waiting for anybody."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Database, Person, wait_for
from tests.support.connections import Line, raw
from todo_cli.contract.tasks import AddTask, ListTasks
from todo_cli.contract.users import WhoAmI
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import NotSignedIn, TooMany

Lines = Callable[..., Line]


@pytest.fixture
def limited(db: Database) -> Callable[[int], Person]:
    """Somebody who may ask so often in a minute."""

    def make(limit: int) -> Person:
        who = db.person()
        db.execute("UPDATE todo.users SET per_minute = %s WHERE id = %s", limit, who.user_id)
        return who

    return make


def counted(db: Database, who: Person) -> int:
    row = db.execute("SELECT coalesce(sum(hits + before), 0) FROM todo.buckets WHERE user_id = %s", who.user_id)[0]
    return int(row[0])


def enter(connection: Any, who: Person, *, write: bool = False) -> None:
    connection.execute(
        "SELECT todo.enter(%s, %s, %s, %s, 'read', %s, 'test')",
        [SCHEMA_VERSION, who.token, who.user_id, who.user_id, write],
    )


def test_more_than_the_limit_is_refused_and_says_when_to_come_again(
    limited: Callable[[int], Person], line: Lines, db: Database
) -> None:
    who = limited(5)
    served = line(who, served=True)
    for _ in range(5):
        served(WhoAmI())
    for _ in range(3):
        with pytest.raises(TooMany, match="5 requests") as refused:
            served(AddTask(title="x"))
        assert 1 <= refused.value.extra["retry_after"] <= 60
    assert counted(db, who) == 5  # a refusal costs nothing
    assert db.execute("SELECT count(*) FROM todo.tasks WHERE space_id = %s", who.user_id) == [(0,)]


def test_the_limit_slides(limited: Callable[[int], Person], line: Lines, db: Database) -> None:
    """What was used up a minute ago is given back little by little, all of it after two."""
    who = limited(60)
    served = line(who, served=True)
    served(WhoAmI())
    for minutes, refused in ((0, True), (2, False)):
        now = int(db.execute("SELECT floor(extract(epoch FROM clock_timestamp()) / 60)")[0][0])
        db.execute(
            "UPDATE todo.buckets SET minute = %s, hits = 60, before = 0 WHERE user_id = %s", now - minutes, who.user_id
        )
        if refused:
            with pytest.raises(TooMany):
                served(WhoAmI())
        else:
            served(WhoAmI())
    second = float(db.execute("SELECT extract(epoch FROM clock_timestamp())")[0][0]) % 60
    if 2 < second < 58:  # the part of the last minute that is still in the window counts
        now = int(db.execute("SELECT floor(extract(epoch FROM clock_timestamp()) / 60)")[0][0])
        used = int(60 * 60 / (60 - second)) - 1
        db.execute(
            "UPDATE todo.buckets SET minute = %s, hits = %s, before = 0 WHERE user_id = %s",
            now - 1,
            used - 5,
            who.user_id,
        )
        served(WhoAmI())
        db.execute(
            "UPDATE todo.buckets SET minute = %s, hits = %s, before = 0 WHERE user_id = %s",
            now - 1,
            used * 2,
            who.user_id,
        )
        with pytest.raises(TooMany) as told:
            served(WhoAmI())
        assert 1 <= told.value.extra["retry_after"] <= 60


def test_direct_logins_are_not_counted(limited: Callable[[int], Person], line: Lines, db: Database) -> None:
    who = limited(1)
    direct = line(who)
    for _ in range(5):
        direct(AddTask(title="x"))
    assert counted(db, who) == 0


@pytest.mark.parametrize("known", [False, True], ids=["first request ever", "counted before"])
def test_reads_do_not_wait_for_a_slow_write(
    db: Database, limited: Callable[[int], Person], line: Lines, known: bool
) -> None:
    """Nor for writes that themselves wait for it, each holding its place in the count."""
    who = limited(1_000_000)
    served = line(who, served=True)
    if known:
        served(WhoAmI())
    opened = [psycopg.connect(db.server_url) for _ in range(12)]
    pids = [connection.info.backend_pid for connection in opened]
    enter(opened[0], who, write=True)

    def queue(connection: Any) -> None:
        enter(connection, who, write=True)
        connection.rollback()

    waiting = [threading.Thread(target=queue, args=(connection,)) for connection in opened[1:]]
    for thread in waiting:
        thread.start()
    blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = ANY (%s)"
    wait_for(lambda: len(db.execute(blocked, pids)) == len(waiting), "the writes do not queue")
    served.runner.run(asyncio.wait_for(_reads(served), 5))
    opened[0].rollback()
    for thread in waiting:
        thread.join(20)
    for connection in opened:
        connection.close()


async def _reads(served: Line) -> None:
    for _ in range(10):
        await served.send(ListTasks())


def test_twenty_at_once_neither_deadlock_nor_miscount(db: Database, limited: Callable[[int], Person]) -> None:
    """Requests that run at once do not see each other: at most 20 too many are let in, and none is forgotten."""
    limit, at_once, each = 60, 20, 10
    who = limited(limit)
    lines = [Line(db.server_url, who) for _ in range(at_once)]
    outcomes: list[bool] = []

    def work(one: Line) -> None:
        for _ in range(each):
            try:
                one(WhoAmI())
                outcomes.append(True)
            except TooMany:
                outcomes.append(False)

    threads = [threading.Thread(target=work, args=(one,)) for one in lines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    for one in lines:
        one.close()
    passed = sum(outcomes)
    assert len(outcomes) == at_once * each
    assert limit - 1 <= passed <= limit + at_once
    assert counted(db, who) == passed
    assert len(db.execute("SELECT 1 FROM todo.buckets WHERE user_id = %s", who.user_id)) <= at_once


def test_failed_sign_ins_are_counted_apart(db: Database, limited: Callable[[int], Person], line: Lines) -> None:
    who = limited(100)
    served = line(who, served=True)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            served(WhoAmI(), token=who.token + "x")
    assert counted(db, who) == 0
    with closing(raw(db.server_url)) as server:
        for address, hits in (("10.0.0.1", 1), ("10.0.0.1", 2), ("10.0.0.2", 1), (None, 1)):
            assert server.execute("SELECT todo.count_failure(%s, %s)", [who.user_id, address]).fetchone() == (hits,)
        served(WhoAmI())  # a good token is not refused for them


def test_guessed_accounts_do_not_fill_the_table(db: Database) -> None:
    with closing(raw(db.server_url)) as server:
        place = f"guess {uuid4()}"
        for hits in range(1, 6):
            assert server.execute("SELECT todo.count_failure(%s, %s)", [uuid4(), place]).fetchone() == (hits,)
        assert len(db.execute("SELECT 1 FROM todo.failures WHERE address = %s", place)) == 1
        db.execute("UPDATE todo.failures SET minute = minute - 1 WHERE address = %s", place)
        server.execute("SELECT todo.count_failure(%s, 'elsewhere')", [uuid4()])
        assert db.execute("SELECT 1 FROM todo.failures WHERE address = %s", place) == []
