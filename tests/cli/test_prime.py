"""`todo prime`: what an agent learns at its start, in few tokens, and never an error."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable

import pytest

from tests.conftest import Database, Person, Server, Todo

MAX_TOKENS, MAX_MCP_TOKENS = 400, 60


def count_tokens(text: str) -> float:
    """Return more tokens than a tokenizer of today makes of the text: a token has three characters or more."""
    return max(len(text.encode()) / 3, len(re.findall(r"\w+|[^\w\s]", text)) * 0.9)


@pytest.fixture
def todo(person: Person, as_person: Callable[..., Todo]) -> Todo:
    return as_person(person, "api")


def test_prime_teaches_commands_and_rights_in_few_tokens(todo: Todo, person: Person, server: Server) -> None:
    guide = todo("prime").out
    assert f"You: {person.name} in the space" in guide
    assert "which may do everything." in guide
    for command in re.findall(r"todo ([a-z]+)", guide):
        assert todo(command, "--help").code == 0, command
    assert count_tokens(guide) <= MAX_TOKENS
    made = todo("token", "create", "--name", "agent", "--scopes", "read,tasks:write", "--only", f"#{'long' * 25}")
    narrow = todo("prime", env={"TODO_TOKEN": made.out.strip()}).out
    assert "may do read, tasks:write; only #longlong" in narrow
    assert count_tokens(narrow) <= MAX_TOKENS
    short = todo("prime", "--mcp").out
    assert count_tokens(short) <= MAX_MCP_TOKENS
    hook = todo("prime", "--hook-json").json["hookSpecificOutput"]
    assert (hook["hookEventName"], hook["additionalContext"]) == ("SessionStart", guide.rstrip("\n"))


def test_prime_without_a_list_is_silent(bare: Todo) -> None:
    broken = bare.directory / "broken.toml"
    broken.write_text("= 3")
    for env in ({}, {"TODO_CONFIG": str(broken)}, {"TODO_SERVER": "http://127.0.0.1:1"}):
        for arguments in (("prime",), ("prime", "--hook-json"), ("prime", "--mcp")):
            result = bare(*arguments, env=env)
            assert (result.code, result.out, result.err) == (0, "", "")


def test_prime_does_not_wait_for_a_server_that_hangs(bare: Todo, person: Person, db: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # it accepts and never answers
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        result = bare("prime", env={"TODO_SERVER": url, "TODO_TOKEN": person.token, "TODO_TIMEOUT": "300"})
    assert (result.code, result.err) == (0, "")
    assert "todo claim --next" in result.out
    assert "You: unknown" in result.out
    refused = bare("prime", env={"TODO_SERVER": "http://127.0.0.1:1", "TODO_TOKEN": person.token})
    assert (refused.code, refused.err) == (0, "")
    assert "You: unknown" in refused.out
