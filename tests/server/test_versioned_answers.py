"""ETags, 304 and the cache: an answer is given again only while nothing has changed."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Database, Person, Server, start_server
from tests.support.raw_http import Answer, ask
from tests.support.valkey import ValkeyServer

READS = (
    "/v1/tasks",
    "/v1/tasks?limit=1000&count_deferred=true",
    "/v1/tasks?filter=is:overdue&limit=500",
    "/v1/tasks?filter=is:claimed",
    "/v1/tasks?due=today",
    "/v1/tasks?filter=due%3C%3D1h",
    "/v1/tasks?sort=urgency",
    "/v1/tasks?home=true",
    "/v1/tasks/1",
    "/v1/tasks/1/comments",
    "/v1/search?words=milk",
    "/v1/tags",
    "/v1/projects",
    "/v1/stats",
    "/v1/views",
    "/v1/changes",
    "/v1/plans",
    "/v1/me",
)
KEPT = ("search", "projects", "stats")
MOMENTARY = ("/v1/tasks?filter=due%3C%3D1h", "/v1/tasks?sort=urgency")


@pytest.fixture(scope="module")
def caching(
    db: Database, valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    """Two servers that share one cache."""
    env = {"TODO_CACHE_URL": valkey.url}
    pair = [start_server(tmp_path_factory.mktemp("cache"), db, env=env) for _ in range(2)]
    yield pair[0], pair[1]
    for one in pair:
        one.stop()


def send(server: Server, who: Person, method: str, target: str, body: Any = None, **headers: str) -> Answer:
    return ask(server.url, method, target, body, token=who.token, **headers)


def add(server: Server, who: Person, **fields: Any) -> int:
    answer = send(server, who, "POST", "/v1/tasks", {"title": "milk", **fields})
    assert answer.status == 201, answer.body
    number: int = answer.json["number"]
    return number


@pytest.mark.parametrize("target", READS)
def test_unchanged_read_is_answered_with_304_and_a_changed_one_anew(
    server: Server, person: Person, target: str
) -> None:
    add(server, person, project="home", tags=["shop"])
    first = send(server, person, "GET", target)
    assert (first.status, first.headers["cache-control"]) == (200, "private, no-cache")
    tag = first.headers["etag"]
    if target not in MOMENTARY:  # an urgency or an hour from now is another one at each moment
        again = send(server, person, "GET", target, If_None_Match=f'"x", W/{tag}')
        assert (again.status, again.body, again.headers["etag"]) == (304, b"", tag)
    send(server, person, "PATCH", "/v1/tasks", {"numbers": [1], "title": "bread", "tags": ["b"], "project": "work"})
    send(server, person, "POST", "/v1/tasks/1/comments", {"text": "two"})
    changed = send(server, person, "GET", target, If_None_Match=tag)
    assert changed.status == (200 if changed.body != first.body and changed.body else changed.status)
    assert send(server, person, "GET", target).body == (changed.body or first.body)


@pytest.mark.parametrize("kind", ["another user", "another query", "another zone", "a preference", "a revoked token"])
def test_etag_holds_for_its_own_question_only(server: Server, db: Database, person: Person, kind: str) -> None:
    add(server, person)
    tag = send(server, person, "GET", "/v1/tags").headers["etag"]
    who, target, headers = person, "/v1/tags", {"If-None-Match": tag}
    if kind == "another user":
        who = db.person()
    elif kind == "another query":
        target = "/v1/projects"
    elif kind == "another zone":
        headers["Time-Zone"] = "Pacific/Auckland"
    elif kind == "a preference":
        db.execute("UPDATE todo.preferences SET timezone = 'Asia/Tokyo' WHERE user_id = %s", person.user_id)
    else:
        db.execute("UPDATE todo.tokens SET revoked_at = now() WHERE user_id = %s", person.user_id)
    status = ask(server.url, "GET", target, token=who.token, **headers).status
    assert status == (401 if kind == "a revoked token" else 200)


@pytest.mark.parametrize(
    ("column", "query"),
    [
        ("due_at", "filter=is:overdue&limit=500"),
        ("defer_at", "limit=500"),
        ("claimed_until", "filter=is:claimed&limit=500"),
        ("scheduled_at", "filter=is:ready&limit=500"),
    ],
)
def test_answer_that_changes_by_itself_is_not_given_again(
    caching: tuple[Server, Server], db: Database, person: Person, column: str, query: str
) -> None:
    """The moment comes while nothing is written: the owner moves it without a change, as time would."""
    number = add(caching[0], person)
    target = f"/v1/tasks?{query}"
    put = f"UPDATE todo.tasks SET {column} = now() + make_interval(secs => %s) WHERE space_id = %s AND number = %s"
    db.execute(put, 0.4, person.user_id, number)
    early = send(caching[0], person, "GET", target)
    assert send(caching[1], person, "GET", target, If_None_Match=early.headers["etag"]).status in (200, 304)
    db.execute("SELECT pg_sleep(0.5)")
    late = send(caching[1], person, "GET", target, If_None_Match=early.headers["etag"])
    assert late.status == 200
    assert late.json["tasks"] != early.json["tasks"]


def test_statistics_with_work_that_goes_on_are_not_given_again(server: Server, person: Person) -> None:
    number = add(server, person, project="home")
    send(server, person, "POST", "/v1/tasks/starts", {"numbers": [number]})
    assert send(server, person, "GET", "/v1/stats").headers["etag"].startswith('"c'), "a tag of the content"


def test_answers_with_the_cache_equal_those_without(
    caching: tuple[Server, Server], server: Server, person: Person
) -> None:
    seed = int(os.environ.get("TODO_TEST_SEED", random.randrange(10**6)))
    print(f"TODO_TEST_SEED={seed}")
    luck = random.Random(seed)
    targets = [target for target in READS if target.startswith("/v1/ta") or target.split("?")[0][4:] in KEPT]
    numbers = [add(caching[0], person)]
    for _ in range(40):
        change_at_random(luck, luck.choice(caching), person, numbers)
        target = luck.choice([target for target in targets if target not in MOMENTARY])
        reference = send(server, person, "GET", target)
        for cached in caching:
            answer = send(cached, person, "GET", target)
            assert (answer.status, answer.body) == (reference.status, reference.body), target


def change_at_random(luck: random.Random, server: Server, who: Person, numbers: list[int]) -> None:
    """Change something, or nothing."""
    number = luck.choice(numbers)
    kind = luck.randrange(7)
    if kind == 0:
        numbers.append(add(server, who, tags=[luck.choice("abc")], project=luck.choice(["home", "work"])))
    elif kind == 1:
        send(server, who, "PATCH", "/v1/tasks", {"numbers": [number], "title": luck.choice(["milk", "bread milk"])})
    elif kind == 2:
        send(server, who, "POST", "/v1/tasks/completion", {"numbers": [number]})
    elif kind == 3:
        send(server, who, "POST", "/v1/undo", {})
    elif kind == 4:
        send(server, who, "POST", f"/v1/tasks/{number}/comments", {"text": "milk again"})


def test_second_server_answers_from_the_cache_of_the_first(
    caching: tuple[Server, Server], valkey: ValkeyServer, person: Person
) -> None:
    add(caching[0], person, tags=["shop"])
    before = int(valkey.ask("DBSIZE")[1:])
    first = send(caching[0], person, "GET", "/v1/tags")
    assert int(valkey.ask("DBSIZE")[1:]) == before + 1
    key = "todo:answer:" + first.headers["etag"][1:-1]
    valkey.ask("SET", key, "'{\"used\":[]}'")
    assert send(caching[1], person, "GET", "/v1/tags").body == b'{"used":[]}', "the answer came out of the cache"
    add(caching[1], person, tags=["garden"])
    assert len(send(caching[0], person, "GET", "/v1/tags").json["used"]) == 2


def test_cache_that_dies_costs_no_answer(caching: tuple[Server, Server], valkey: ValkeyServer, person: Person) -> None:
    add(caching[0], person, tags=["shop"])
    answers = [send(caching[0], person, "GET", "/v1/tags")]
    valkey.kill()
    answers += [send(server, person, "GET", "/v1/tags") for server in caching]
    valkey.start()
    answers += [send(server, person, "GET", "/v1/tags") for server in caching]
    assert {(answer.status, answer.body) for answer in answers} == {(200, answers[0].body)}
    assert valkey.ask("DBSIZE") == ":1", "it is used again by the next request"
