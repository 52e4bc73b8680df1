"""Both kinds of HTTP clients against a fake server: what they are sent, and what they print."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result, Todo
from tests.support.fake_server import send_response
from todo_cli.clients.http import HttpClient
from todo_cli.contract.tasks import AddTask
from todo_cli.settings.settings import load_settings

TOKEN = "todo_0123456789abcdef0123456789abcdef_verysecretindeed"
TIMEOUT = "0.7"
GENEROUS = 20.0  # a slow response would last two minutes, so a shorter time proves that the client gave up
TASK = {
    "number": 7,
    "id": "x",
    "title": "Milk",
    "status": "open",
    "rev": 1,
    "new": True,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}
GOOD = send_response(json.dumps(TASK).encode(), "201 Created")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def send_add(backend: HttpClient) -> Any:
    """Add one task through the asynchronous client, then close its connections."""

    async def once() -> Any:
        try:
            return await backend.send(AddTask(title="Milk"), "my-key")
        finally:
            await backend._client.aclose()

    return asyncio.run(once())


def read_error_line(result: Result, code: int = 7) -> str:
    """Check that the command failed with one clean line, and return the line."""
    assert result.code == code, (result.code, result.err)
    assert result.out == ""
    assert result.err.endswith("\n")
    assert result.err.count("\n") == 1, result.err
    assert result.err.startswith("todo: ")
    assert "Traceback" not in result.err
    assert "\x1b" not in result.err
    assert "verysecret" not in result.err
    return result.err


def make_command(directory: Path) -> Todo:
    """Return the command with a token and a short timeout."""
    return Todo(directory, {"TODO_TOKEN": TOKEN, "TODO_TIMEOUT": TIMEOUT})


def prepare_client(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], HttpClient]:
    """Set the same in this process, and return a function that opens a client of a server."""
    for name, value in {"TODO_TOKEN": TOKEN, "TODO_TIMEOUT": TIMEOUT, "TODO_CONFIG": str(directory / "none")}.items():
        monkeypatch.setenv(name, value)

    def open_client(url: str) -> HttpClient:
        monkeypatch.setenv("TODO_SERVER", url)
        return HttpClient(load_settings())

    return open_client
