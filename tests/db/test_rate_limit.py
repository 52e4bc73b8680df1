"""The limit a minute: exact, counted in the database, and no request waits for another's work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Database, Person, wait_for
from tests.support.connections import Line, raw
from todo_cli.contract.tasks import AddTask, CompleteTasks, ListTasks, ShowTask
from todo_cli.contract.users import WhoAmI
from todo_cli.db.rate_limit import RequestCount
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import NotFound, NotSignedIn, TooMany

Lines = Callable[..., Line]


@pytest.fixture
def limited(db: Database) -> Callable[[int], Person]:
    """Somebody who may ask so often in a minute."""

    def make(limit: int) -> Person:
        who = db.person()
        db.execute("UPDATE todo.users SET per_minute = %s WHERE id = %s", limit, who.user_id)
        return who

    return make


def moments_of(db: Database, who: Person, policy: str = "user") -> list[Any]:
    rows = db.execute(
        "SELECT moments FROM todo.recent_requests WHERE user_id = %s AND policy = %s", who.user_id, policy
    )
    return list(rows[0][0]) if rows else []


def age(db: Database, who: Person, seconds: float) -> None:
    """Let the recorded requests have come so much earlier."""
    older = "ARRAY(SELECT m - make_interval(secs => %s) FROM unnest(moments) m ORDER BY m)"
    db.execute(f"UPDATE todo.recent_requests SET moments = {older} WHERE user_id = %s", seconds, who.user_id)


def enter(connection: Any, who: Person, *, write: bool = False, schema: int = SCHEMA_VERSION) -> None:
    connection.execute(
        "SELECT todo.enter(%s, %s, %s, %s, 'read', %s, 'test')",
        [schema, who.token, who.user_id, who.user_id, write],
    )


def test_request_beyond_the_limit_is_refused_and_recorded(
    limited: Callable[[int], Person], line: Lines, db: Database
) -> None:
    who = limited(5)
    served = line(who, served=True)
    counts = [RequestCount("user") for _ in range(8)]
    for count in counts[:5]:
        served(WhoAmI(), count=count)
    assert [count.rate.remaining for count in counts[:5] if count.rate] == [4, 3, 2, 1, 0]
    for count in counts[5:]:
        with pytest.raises(TooMany, match="more than 5 requests in a minute") as refused:
            served(AddTask(title="x"), count=count)
        assert 55 <= refused.value.extra["retry_after"] <= 60
        assert count.rate is not None
        assert (count.rate.refused, count.rate.remaining) == (True, 0)
    assert db.execute("SELECT count(*) FROM todo.tasks WHERE space_id = %s", who.user_id) == [(0,)]
    newest = [count.rate.at for count in counts[3:] if count.rate]
    assert [moment.timestamp() for moment in moments_of(db, who)] == pytest.approx(newest, abs=1e-6)


def test_request_that_a_statement_refuses_is_recorded(
    limited: Callable[[int], Person], line: Lines, db: Database
) -> None:
    who = limited(5)
    served = line(who, served=True)
    for request in (CompleteTasks(numbers=(99,)), ShowTask(number=99)):
        with pytest.raises(NotFound):
            served(request, count=RequestCount("user"))
    assert len(moments_of(db, who)) == 2


def test_limit_slides_by_the_moment(limited: Callable[[int], Person], line: Lines, db: Database) -> None:
    who = limited(3)
    served = line(who, served=True)
    for _ in range(3):
        served(WhoAmI(), count=RequestCount("user"))
    age(db, who, 50)
    with pytest.raises(TooMany) as refused:
        served(WhoAmI(), count=RequestCount("user"))
    assert refused.value.extra["retry_after"] <= 10
    age(db, who, 10)  # the three are over, the refused one is ten seconds old
    served(WhoAmI(), count=RequestCount("user"))
    served(WhoAmI(), count=RequestCount("user"))
    with pytest.raises(TooMany):
        served(WhoAmI(), count=RequestCount("user"))


@pytest.mark.parametrize(("before", "after", "let_in"), [(2, 4, 2), (4, 2, 0), (4, None, 9)])
def test_changed_limit_holds_from_the_next_request(
    limited: Callable[[int], Person], line: Lines, db: Database, before: int, after: int | None, let_in: int
) -> None:
    who = limited(before)
    served = line(who, served=True)
    for _ in range(before):
        served(WhoAmI(), count=RequestCount("user"))
    db.execute("UPDATE todo.users SET per_minute = %s WHERE id = %s", after, who.user_id)
    passed = 0
    for _ in range(9):
        with suppress(TooMany):
            served(WhoAmI(), count=RequestCount("user"))
            passed += 1
    assert passed == let_in


def test_policies_are_counted_apart(limited: Callable[[int], Person], line: Lines, db: Database) -> None:
    who = limited(1)
    served = line(who, served=True)
    served(WhoAmI(), count=RequestCount("user"))
    served(WhoAmI(), count=(turn := RequestCount("chat")))
    assert turn.rate is None, "the tests give persons no limit of turns"
    with pytest.raises(TooMany):
        served(WhoAmI(), count=RequestCount("user"))


def test_unknown_user_leaves_no_row(db: Database, person: Person, line: Lines) -> None:
    stranger_id = "00000000-0000-0000-0000-000000000001"
    stranger = replace(person, token=f"todo_{stranger_id.replace('-', '')}_x")
    with pytest.raises(NotSignedIn):
        line(stranger, served=True)(WhoAmI(), token=stranger.token, count=RequestCount("user"))
    assert db.execute("SELECT 1 FROM todo.recent_requests WHERE user_id = %s", stranger_id) == []


@pytest.mark.parametrize("known", [False, True], ids=["first request ever", "counted before"])
def test_reads_do_not_wait_for_a_slow_write(
    db: Database, limited: Callable[[int], Person], line: Lines, known: bool
) -> None:
    """Nor for writes that themselves wait for it: each was counted in a transaction of its own."""
    who = limited(1_000)
    served = line(who, served=True)
    if known:
        served(WhoAmI(), count=RequestCount("user"))
    opened = [psycopg.connect(db.server_url, autocommit=True) for _ in range(12)]
    pids = [connection.info.backend_pid for connection in opened]

    def begin_write(connection: Any) -> None:
        connection.execute("CALL todo.limit_request(%s::uuid, 'user', NULL)", [who.user_id])
        connection.execute("BEGIN")
        enter(connection, who, write=True)

    def queue(connection: Any) -> None:
        begin_write(connection)
        connection.execute("ROLLBACK")

    begin_write(opened[0])
    waiting = [threading.Thread(target=queue, args=(connection,)) for connection in opened[1:]]
    for thread in waiting:
        thread.start()
    blocked = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = ANY (%s)"
    wait_for(lambda: len(db.execute(blocked, pids)) == len(waiting), "the writes do not queue")
    served.runner.run(asyncio.wait_for(_read_counted(served), 20))
    opened[0].execute("ROLLBACK")
    for thread in waiting:
        thread.join(20)
    for connection in opened:
        connection.close()


async def _read_counted(served: Line) -> None:
    for _ in range(10):
        await served.send(ListTasks(), count=RequestCount("user"))


def test_server_of_an_earlier_schema_is_counted_as_before(db: Database, limited: Callable[[int], Person]) -> None:
    who = limited(1)
    with psycopg.connect(db.server_url, autocommit=True) as older:
        enter(older, who, schema=10)
        with pytest.raises(psycopg.DatabaseError, match="more than 1 requests"):
            enter(older, who, schema=10)
        enter(older, who)


def wait_for_room_in_the_minute(db: Database) -> None:
    """Return when 20 seconds of the database's minute are left: failures are counted by the minute of the clock."""
    db.execute(
        "SELECT pg_sleep(CASE WHEN s > 40 THEN 60.1 - s ELSE 0 END) FROM extract(second FROM clock_timestamp()) s"
    )


def test_failed_sign_ins_are_counted_apart(db: Database, limited: Callable[[int], Person], line: Lines) -> None:
    who = limited(100)
    served = line(who, served=True)
    wait_for_room_in_the_minute(db)
    for _ in range(3):
        with pytest.raises(NotSignedIn):
            served(WhoAmI(), token=who.token + "x")
    assert moments_of(db, who) == []
    with closing(raw(db.server_url)) as server:
        for address, hits in (("10.0.0.1", 1), ("10.0.0.1", 2), ("10.0.0.2", 1), (None, 1)):
            assert server.execute("SELECT todo.count_failure(%s, %s)", [who.user_id, address]).fetchone() == (hits,)
        served(WhoAmI())  # a good token is not refused for them


def test_guessed_accounts_do_not_fill_the_table(db: Database) -> None:
    wait_for_room_in_the_minute(db)
    with closing(raw(db.server_url)) as server:
        place = f"guess {uuid4()}"
        for hits in range(1, 6):
            assert server.execute("SELECT todo.count_failure(%s, %s)", [uuid4(), place]).fetchone() == (hits,)
        assert len(db.execute("SELECT 1 FROM todo.failures WHERE address = %s", place)) == 1
        db.execute("UPDATE todo.failures SET minute = minute - 1 WHERE address = %s", place)
        server.execute("SELECT todo.count_failure(%s, 'elsewhere')", [uuid4()])
        assert db.execute("SELECT 1 FROM todo.failures WHERE address = %s", place) == []
