"""Header values that confused the server once, and the rules that OpenAPI publishes for them."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conftest import Database, Person, Server, Todo, wait_for
from tests.support.raw_http import Answer, ask, log_lines, read_answer
from todo_cli.contract.keys import check_key
from todo_cli.errors import Invalid
from todo_cli.server.proxies import check_proxies


def send_head(server: Server, *headers: str, target: str = "/v1/tasks", version: str = "1.1") -> Answer:
    """Send these headers and no others."""
    address = urlsplit(server.url)
    head = "\r\n".join([f"GET {target} HTTP/{version}", *headers, "", ""])
    with socket.create_connection((address.hostname, address.port or 0), timeout=10) as sock:
        sock.sendall(head.encode("latin-1"))
        return read_answer(sock)


ZONES = {
    "many slashes": "/" * 5_000,
    "many segments": "a/" * 5_000 + "b",
    "a file": "../../etc/passwd",
    "a folder": "America",
    "an absolute path": "/usr/share/zoneinfo/UTC",
    "an excluded zone": "posix/UTC",
    "a long name": "A" * 10_000,
}


@pytest.mark.parametrize("name", ZONES)
def test_time_zone_that_is_no_known_name_is_refused(server: Server, person: Person, name: str) -> None:
    answer = ask(server.url, "GET", "/v1/tasks", token=person.token, Time_Zone=ZONES[name])
    assert answer.status == 422
    assert "unknown time zone" in answer.problem["detail"]
    assert len(answer.body) < 500


KEYS = {"NUL": "%00", "line feed": "a%0ab", "escape": "%1b[2J", "DEL": "%7f", "C1": "%c2%9b", "bidi": "%e2%80%ae"}
KEYS |= {"half an escape": "100%", "no UTF-8": "%ff", "a raw space": "a b", "too long": "%c3%a9" * 201}


@pytest.mark.parametrize("name", KEYS)
def test_key_that_is_not_printable_after_decoding_is_refused(server: Server, person: Person, name: str) -> None:
    answer = ask(server.url, "POST", "/v1/tasks", {"title": "x"}, token=person.token, Idempotency_Key=KEYS[name])
    assert answer.status == 422
    assert "dempotency" in answer.problem["detail"]


@pytest.mark.parametrize("key", ["100% of é 日本 🎉", "a b", "k" * 200, "é" * 200, "%41"])
def test_printable_key_is_the_same_key_in_every_client(
    person: Person, as_person: Callable[..., Todo], key: str
) -> None:
    first = as_person(person, "api")("add", "milk", "--key", key, "--json")
    again = as_person(person, "direct")("add", "milk", "--key", key, "--json")
    assert (first.code, first.json["number"]) == (0, 1), first.err
    assert again.json["number"] == 1


@pytest.mark.parametrize("key", ["", "k" * 201, "a\x00", "a\n", "\u202e", "\x9b"])
def test_key_rule_refuses_the_same_keys_before_a_client_sends_them(key: str) -> None:
    with pytest.raises(Invalid, match="1 to 200 printable characters"):
        check_key(key)


@pytest.mark.parametrize("name", ["Authorization", "Todo-Space", "Time-Zone", "Idempotency-Key", "Host"])
def test_header_that_is_given_twice_is_refused(server: Server, person: Person, name: str) -> None:
    headers = {"Host": "x", "Authorization": f"Bearer {person.token}", "Todo-Space": person.user_id}
    headers |= {"Time-Zone": "UTC", "Idempotency-Key": "a"}
    answer = send_head(server, *(f"{name}: {value}" for name, value in headers.items()), f"{name}: {headers[name]}")
    assert (answer.status, answer.problem["detail"]) == (400, f"the header {name} is given twice")


@pytest.mark.parametrize("target", ["/v1/tasks", "/healthz"])
def test_request_without_a_host_is_refused(server: Server, person: Person, target: str) -> None:
    authorization = f"Authorization: Bearer {person.token}"
    answer = send_head(server, authorization, target=target)
    assert (answer.status, answer.problem["detail"]) == (400, "the request has no Host header")
    assert send_head(server, authorization, target=target, version="1.0").status == 200


FORWARDED = {
    "203.0.113.9": "203.0.113.9",
    "2001:db8::1": "2001:db8::1",
    "203.0.113.9:5000": "203.0.113.9",
    "evil": "127.0.0.1",
    "' OR 1=1": "127.0.0.1",
    "1.2.3.4.5": "127.0.0.1",
    "a" * 5000: "127.0.0.1",
}


def test_forwarded_text_that_is_no_address_is_ignored(db: Database, make_server: Callable[..., Server]) -> None:
    server = make_server(db)
    for number, text in enumerate(FORWARDED):
        ask(server.url, "GET", "/healthz", X_Forwarded_For=text, X_Request_Id=f"via-{number}")
    wait_for(lambda: f"via-{len(FORWARDED) - 1}" in server.log.read_text())
    found = [entry["from"] for entry in log_lines(server.log) if entry["request_id"].startswith("via-")]
    assert found == list(FORWARDED.values())


@pytest.mark.parametrize("proxies", ["localhost", "10.0.0.5/8", "127.0.0.1,", "10.0.0.0/8 10.1.0.0/16"])
def test_proxies_that_are_no_addresses_are_refused_at_start(proxies: str) -> None:
    with pytest.raises(Invalid, match="neither an address nor a network"):
        check_proxies(proxies)


def test_openapi_publishes_the_pattern_of_every_header(server: Server) -> None:
    """Each accepted example matches its pattern and each refused one does not, where a pattern can tell."""
    document = ask(server.url, "GET", "/openapi.json").json
    patterns: dict[str, Any] = {
        parameter["name"]: parameter["schema"]["pattern"]
        for path in document["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
        if parameter["in"] == "header"
    }
    assert patterns.keys() == {"Todo-Space", "Time-Zone", "Idempotency-Key", "Todo-Fence"}
    accepted = {"Todo-Space": "01a22202-e728-7cc8-a02b-06bf487f209f", "Time-Zone": "America/Argentina/Buenos_Aires"}
    for name, value in (accepted | {"Idempotency-Key": "caf%C3%A9-1", "Todo-Fence": "12,7"}).items():
        assert re.search(patterns[name], value)
    refused = {"Todo-Space": "home", "Time-Zone": "a//b", "Idempotency-Key": "100%", "Todo-Fence": "12;7"}
    for name, value in refused.items():
        assert not re.search(patterns[name], value)
