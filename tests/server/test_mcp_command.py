"""`todo mcp` as a process: closed streams, and settings that it refuses."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from tests.conftest import COMMAND, Person, Todo


def test_mcp_without_settings_prints_a_hint_on_stderr(bare: Todo) -> None:
    ended = bare("mcp")
    assert (ended.code, ended.out) == (4, "")
    assert "todo init" in ended.err


def test_mcp_command_with_closed_stdin_exits(person: Person, as_person: Callable[..., Todo]) -> None:
    todo = as_person(person, "direct")
    ended = subprocess.run([*COMMAND, "mcp"], env=todo.environment(), input=b"", capture_output=True, timeout=30)
    assert (ended.returncode, ended.stdout) == (0, b"")


HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
MESSAGES = "".join(
    json.dumps({"jsonrpc": "2.0", **message}) + "\n"
    for message in (
        {"id": 1, "method": "initialize", "params": HELLO},
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
        {"id": 3, "method": "tools/call", "params": {"name": "add_task", "arguments": {"title": "x"}}},
    )
)


@pytest.mark.parametrize("way", ["direct", "api"])
@pytest.mark.parametrize("reads", [False, True], ids=["without reading", "after one answer"])
def test_mcp_client_that_closes_its_end_ends_the_command_quietly(
    person: Person, as_person: Callable[..., Todo], way: str, reads: bool
) -> None:
    todo = as_person(person, way)
    command = subprocess.Popen(
        [*COMMAND, "mcp"],
        env=todo.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert command.stdin is not None
    assert command.stdout is not None
    assert command.stderr is not None
    with command:
        command.stdin.write(MESSAGES)
        command.stdin.flush()
        if reads:
            assert json.loads(command.stdout.readline())["id"] == 1
        command.stdout.close()
        command.stdin.close()
        assert command.stderr.read() == ""
        assert command.wait(timeout=30) == 0


def test_mcp_command_with_a_narrow_token_on_a_database_is_refused_at_start(
    person: Person, as_person: Callable[..., Todo]
) -> None:
    direct, api = as_person(person, "direct"), as_person(person, "api")
    token = api("token", "create", "--name", "agent", "--scopes", "read,tasks:write").out.strip()
    refused = direct("mcp", stdin=MESSAGES, env={"TODO_TOKEN": token})
    assert (refused.code, refused.out) == (5, "")
    assert "todo serve" in refused.err
    assert "TODO_SERVER" in refused.err
    served = api("mcp", stdin=MESSAGES, env={"TODO_TOKEN": token})
    assert (served.code, served.err) == (0, "")
    assert [json.loads(line)["id"] for line in served.lines] == [1, 2, 3]


def test_mcp_command_with_a_wrong_token_is_refused_at_start(person: Person, as_person: Callable[..., Todo]) -> None:
    refused = as_person(person, "api")("mcp", stdin=MESSAGES, env={"TODO_TOKEN": person.token + "x"})
    assert (refused.code, refused.out) == (4, "")
