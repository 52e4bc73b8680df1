"""Requests that fail count in the rate limit, and those beyond it cost the database nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Database, Person, Server
from tests.support.raw_http import Answer, ask
from tests.support.tcp_proxy import open_database_proxy
from todo_cli.contract.ids import new_id
from todo_cli.contract.usage import Budget, make_budget_error
from todo_cli.db.rate_limit import Rate, limit_error
from todo_cli.errors import TooMany
from todo_cli.server.refusal_counts import REPEAT_SECONDS, is_rate_limit

LIMIT = 20
MISSING = 10**9


def call_tool(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The body of a call over MCP."""
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}


PLAN = {"id": new_id(), "operation": "CompleteTasks", "arguments": {"numbers": [MISSING]}}
TURN = {"turn": new_id(), "conversation": new_id(), "text": "x"}
REFUSED: dict[str, tuple[str, str, Any]] = {
    "a missing task": ("GET", f"/v1/tasks/{MISSING}", None),
    "a refused change": ("POST", "/v1/tasks/completion", {"numbers": [MISSING]}),
    "a refused plan": ("POST", "/v1/plans", PLAN),
    "a body that is no request": ("POST", "/v1/tasks", {"colour": "red"}),
    "a query that is no request": ("GET", "/v1/tasks?limit=many", None),
    "a path that does not exist": ("GET", "/v1/nothing", None),
    "another user's right": ("GET", "/v1/users", None),
    "a turn without a model": ("POST", "/v1/turns", TURN),
    "a tool": ("POST", "/mcp", call_tool("show_task", {"number": MISSING})),
}


def ask_as(person: Person, server: Server, request: tuple[str, str, Any]) -> Answer:
    method, path, body = request
    return ask(server.url, method, path, body, token=person.token, Accept="application/json, text/event-stream")


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_requests_are_limited_as_others(server: Server, db: Database, person: Person, kind: str) -> None:
    """Before, 45 of 45 passed beyond a limit of 20. The turns of the chat are counted apart."""
    limits = "UPDATE todo.users SET per_minute = %s, turns_per_minute = %s WHERE id = %s"
    db.execute(limits, LIMIT, LIMIT, person.user_id)
    answers = [ask_as(person, server, REFUSED[kind]) for _ in range(LIMIT + 5)]
    assert [answer.status == 429 for answer in answers] == [False] * LIMIT + [True] * 5
    is_turn = REFUSED[kind][1] == "/v1/turns"
    assert ask_as(person, server, ("GET", "/v1/tasks", None)).status == (200 if is_turn else 429)


def test_requests_beyond_the_limit_cost_the_database_nothing(
    db: Database, person: Person, make_server: Callable[..., Server]
) -> None:
    with closing(open_database_proxy(db.server_url)) as proxy:
        server = make_server(replace(db, server_url=proxy.through(db.server_url)))
        db.execute("UPDATE todo.users SET per_minute = 1 WHERE id = %s", person.user_id)
        request = ("GET", "/v1/tasks", None)
        assert [ask_as(person, server, request).status for _ in range(2)] == [200, 429]
        time.sleep(REPEAT_SECONDS)
        proxy.reset()
        started = time.monotonic()
        answers = [ask_as(person, server, request) for _ in range(40)]
        allowed = 1 + int((time.monotonic() - started) / REPEAT_SECONDS)
        assert {answer.status for answer in answers} == {429}
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers)
        assert proxy.round_trips <= allowed
        server.stop()


def test_repeated_forged_token_beyond_its_limit_costs_the_database_nothing(
    db: Database, person: Person, make_server: Callable[..., Server]
) -> None:
    with closing(open_database_proxy(db.server_url)) as proxy:
        server = make_server(replace(db, server_url=proxy.through(db.server_url)))
        forged = replace(person, token=f"{person.token[:-8]}forgedxx")
        request = ("GET", "/v1/tasks", None)
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 60:  # a slow machine gets a few more of them a minute
            statuses.append(ask_as(forged, server, request).status)
        assert statuses[:30] == [401] * 30
        assert statuses[-1] == 429
        proxy.reset()
        assert [ask_as(forged, server, request).status for _ in range(5)] == [429] * 5
        assert proxy.round_trips <= 2
        assert ask_as(person, server, request).status == 200, "a valid token is never limited by forged ones"
        server.stop()


def test_spent_budget_is_no_rate_limit() -> None:
    """It refuses turns only, with 429 as well, and each refused turn counts."""
    assert not is_rate_limit(make_budget_error(Budget(allowed=1, spent=2, seconds=60)))
    assert not is_rate_limit(TooMany("too many attempts", retry_after=3))
    assert is_rate_limit(limit_error(Rate("user", limit=20, remaining=0, refused=True, reset=3.0, at=0.0)))
