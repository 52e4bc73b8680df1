"""Metrics of real servers: counted by route, closed to others, and whole with several worker processes."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.conftest import Database, Person, Server, Todo
from todo_cli.contract.server_stats import ServerStats
from todo_cli.server.metrics import STATS_HELP


def scrape(server: Server, **headers: str) -> str:
    """Return the page of the metrics."""
    request = Request(server.url + "/metrics", headers={name.replace("_", "-"): text for name, text in headers.items()})
    with urlopen(request, timeout=20) as answer:
        text: str = answer.read().decode()
        return text


def count_of(page: str, route: str, status: int) -> float:
    """Return the sum of the requests of a route with a status."""
    found = re.findall(rf'todo_requests_total{{method="\w+",route="{re.escape(route)}",status="{status}"}} (\S+)', page)
    return sum(map(float, found))


def call(server: Server, path: str, token: str = "") -> None:
    """Send a request whose answer does not matter."""
    try:
        urlopen(Request(server.url + path, headers={"Authorization": f"Bearer {token}"}), timeout=20).read()
    except HTTPError as error:
        error.close()


def test_requests_of_all_workers_are_counted_by_route(
    db: Database, person: Person, make_server: Callable[..., Server]
) -> None:
    server = make_server(db, "--workers", "2", env={"TODO_METRICS": "1"})
    for _ in range(20):
        call(server, "/v1/tasks/1", person.token)
        call(server, f"/v1/no/{_}")
    page = scrape(server)
    assert count_of(page, "/v1/tasks/{number}", 404) == 20
    assert count_of(page, "none", 401) == 20, "paths of the client's choice are one series"
    assert 'todo_request_seconds_bucket{le="0.1",method="GET",route="/v1/tasks/{number}"}' in page
    assert "todo_database_up 1" in page
    assert re.search(r"^todo_users [1-9]", page, re.MULTILINE)
    assert person.token not in page
    assert server.stop(signal.SIGTERM) == 0


def test_metrics_need_their_token_and_without_one_this_machine(
    db: Database, make_server: Callable[..., Server], server: Server, person: Person
) -> None:
    with pytest.raises(HTTPError, match="401"):
        scrape(server)  # off: a path like any other
    closed = make_server(db, env={"TODO_METRICS": "1", "TODO_METRICS_TOKEN": "secret"})
    for wrong in ({}, {"Authorization": "Bearer other"}, {"Authorization": f"Bearer {person.token}"}):
        with pytest.raises(HTTPError, match="403"):
            scrape(closed, **wrong)
    assert "todo_database_up" in scrape(closed, Authorization="Bearer secret")
    opened = make_server(db, env={"TODO_METRICS": "1"})
    with pytest.raises(HTTPError, match="403"):
        scrape(opened, X_Forwarded_For="127.0.0.1")
    assert "todo_database_up 1" in scrape(opened)


def test_every_figure_has_a_metric() -> None:
    assert list(STATS_HELP) == list(ServerStats.__struct_fields__)


def test_stats_are_shown_to_administrators_alone(db: Database, as_person: Callable[..., Todo]) -> None:
    for is_admin, code in ((True, 0), (False, 5)):
        result = as_person(db.person(admin=is_admin), "direct")("admin", "stats", "--json")
        assert result.code == code, result.err
    shown = as_person(db.person(admin=True), "api")("admin", "stats")
    assert re.search(r"^users +\d+$", shown.out, re.MULTILINE), shown
