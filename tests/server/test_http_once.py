"""The single-request HTTP client: interim responses, bodies without a length, and bytes after a response."""

from __future__ import annotations

import pytest

from tests.support.fake_server import run_fake_server, send_bytes
from todo_cli.clients.http_once import HttpResponse, ResponseLost, send_once
from todo_cli.errors import Unavailable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


def get(data: bytes) -> HttpResponse:
    """Send one request to a server that answers with these bytes."""
    with run_fake_server(send_bytes(data)) as server:
        return send_once(server.url, "GET", "/", None, {}, 10)


def test_interim_response_is_skipped() -> None:
    assert get(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK) == HttpResponse(
        200, {"content-length": "2"}, b"hi"
    )


def test_body_without_a_length_ends_with_the_connection() -> None:
    assert get(b"HTTP/1.1 200 OK\r\n\r\nabc").body == b"abc"


def test_bytes_behind_a_response_are_ignored() -> None:
    assert get(OK + b"HTTP/1.1 100 Continue\r\n\r\ngarbage").body == b"hi"


def test_trailer_behind_a_chunked_body_does_not_replace_a_header() -> None:
    chunked = b"HTTP/1.1 200 OK\r\nX: head\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: tail\r\n\r\n"
    assert (get(chunked).body, get(chunked).headers["x"]) == (b"hi", "head")


def test_unrequested_upgrade_raises_response_lost() -> None:
    with pytest.raises(ResponseLost, match="does not speak HTTP"):
        get(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")


@pytest.mark.parametrize("server", ["http://user@host", "http://host?x=1", "http://host/ä", "http://host:0"])
def test_unusable_address_is_refused(server: str) -> None:
    with pytest.raises(Unavailable, match="is not an address"):
        send_once(server, "GET", "/", None, {}, 1)
