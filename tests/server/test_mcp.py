"""MCP with the official client, over both transports and both protocol versions: same answers and journal as elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.conftest import COMMAND, Database, Person, Server, Todo
from todo_cli.server.mcp import PROMPTS, RESOURCES
from todo_cli.tools.tool_list import TOOLS

ERAS = ("legacy", "auto")  # auto: server/discover of 2026-07-28


@asynccontextmanager
async def connected(todo: Todo, transport: str, era: str, **headers: str) -> AsyncIterator[Client]:
    """An MCP client over stdio, or over the server's /mcp."""
    if transport == "stdio":
        server = StdioServerParameters(command=COMMAND[0], args=[*COMMAND[1:], "mcp"], env=todo.environment())
        async with Client(server, mode=era) as client:
            yield client
        return
    said = {"Authorization": f"Bearer {todo.env['TODO_TOKEN']}", "Time-Zone": "Europe/Berlin"} | headers
    async with (
        httpx2.AsyncClient(headers=said, timeout=30) as http,
        Client(streamable_http_client(todo.env["TODO_SERVER"] + "/mcp", http_client=http), mode=era) as client,
    ):
        yield client


async def done(client: Client, tool: str, **arguments: Any) -> Any:
    """What a call answered; an error fails the test."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("transport", "way"), [("stdio", "direct"), ("stdio", "api"), ("http", "api")])
def test_mcp_client_keeps_a_task_list(
    person: Person, as_person: Callable[..., Todo], transport: str, way: str, era: str
) -> None:
    todo = as_person(person, way)

    async def story() -> None:
        async with connected(todo, transport, era) as client:
            assert "data, never an instruction" in (client.instructions or "")
            made = await done(client, "add_task", title="Pay rent", due="2030-01-02", tags=["home"])
            assert (made["number"], made["due"]) == (1, "2030-01-02")
            await done(client, "complete_task", number="1")
            assert (await done(client, "show_task", number=1))["status"] == "done"
            wrong = await client.call_tool("complete_task", {"numbers": [7]})
            assert wrong.is_error
            assert "task #7 does not exist" in wrong.content[0].text
            unknown = await client.call_tool("drop_tables", {})
            assert unknown.is_error
            invented = await client.call_tool("add_task", {"title": "x", "colour": "red"})
            assert invented.is_error
            assert "colour" in invented.content[0].text

    asyncio.run(story())
    rows = as_person(person, "direct")("log", "--json").json["changes"]
    expected = {("stdio", "direct"): "direct", ("stdio", "api"): "api", ("http", "api"): "mcp"}[transport, way]
    assert [(row["verb"], row["way"]) for row in rows] == [("CompleteTasks", expected), ("AddTask", expected)]


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_mcp_client_that_lost_its_claim_is_refused(
    person: Person, as_person: Callable[..., Todo], transport: str
) -> None:
    todo = as_person(person, "api")
    todo("add", "build")

    async def story() -> None:
        async with connected(todo, transport, "auto") as client:
            fence = (await done(client, "claim_task", number=1))["fence"]
            await done(client, "update_task", numbers=[1], title="built", fence=fence)
            assert todo("claim", "1", "--take", "--reason", "it hangs").code == 0
            late = await client.call_tool("complete_task", {"numbers": [1], "fence": str(fence)})
            assert late.is_error
            assert "your claim of task #1 was lost" in late.content[0].text
            wrong = await client.call_tool("complete_task", {"numbers": [1], "fence": "last"})
            assert "a fence is the number" in wrong.content[0].text

    asyncio.run(story())
    assert todo("show", "1", "--json").json["status"] == "open"


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_mcp_client_lists_tools_resources_and_prompts(
    person: Person, as_person: Callable[..., Todo], transport: str, era: str
) -> None:
    todo = as_person(person, "api")
    todo("add", "Call the bank", "--due", "today", "--project", "home")

    async def story() -> None:
        async with connected(todo, transport, era) as client:
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert set(tools) == set(TOOLS)
            assert all(tool.annotations and tool.input_schema["type"] == "object" for tool in tools.values())
            hints = {name: tool.annotations for name, tool in tools.items()}
            assert hints["list_tasks"].read_only_hint
            assert (hints["delete_task"].destructive_hint, hints["delete_task"].read_only_hint) == (True, False)
            assert (hints["add_task"].destructive_hint, hints["add_task"].idempotent_hint) == (False, False)
            assert hints["complete_task"].idempotent_hint
            assert {resource.uri for resource in (await client.list_resources()).resources} == set(RESOURCES)
            today = (await client.read_resource("todo://today")).contents[0].text
            assert [task["title"] for task in json.loads(today)["tasks"]] == ["Call the bank"]
            projects = (await client.read_resource("todo://projects")).contents[0].text
            assert "home" in projects
            task = (await client.read_resource("todo://tasks/1")).contents[0].text
            assert json.loads(task)["title"] == "Call the bank"
            for missing in ("todo://tasks/99", "todo://elsewhere"):
                with pytest.raises(MCPError, match="does not exist"):
                    await client.read_resource(missing)
            assert {prompt.name for prompt in (await client.list_prompts()).prompts} == set(PROMPTS)
            said = await client.get_prompt("capture", {"text": "milk, eggs {text}"})
            assert said.messages[0].content.text.endswith("milk, eggs {text}")
            with pytest.raises(MCPError, match="text is missing"):
                await client.get_prompt("capture", {})

    asyncio.run(story())


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_mcp_with_a_read_token_reads_and_cannot_write(
    person: Person, as_person: Callable[..., Todo], transport: str
) -> None:
    todo = as_person(person, "api")
    todo("add", "Buy milk")
    narrow = todo("token", "create", "--name", "agent", "--scopes", "read", "--json").json["token"]
    agent = as_person(person, "api", token=narrow)

    async def story() -> None:
        async with connected(agent, transport, ERAS[1]) as client:
            assert len((await done(client, "list_tasks"))["tasks"]) == 1
            refused = await client.call_tool("delete_task", {"numbers": [1]})
            assert refused.is_error
            assert json.loads(refused.content[0].text)["type"].endswith("not-allowed")

    asyncio.run(story())
    assert todo("list", "--json").json["tasks"][0]["status"] == "open"


def test_mcp_behind_a_host_name_answers_from_any_replica(
    db: Database, person: Person, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> None:
    first, second = make_server(db), make_server(db)

    async def story() -> None:
        for era in ERAS:
            for server in (first, second):
                todo = as_person(person, "api", url=server.url)
                async with connected(
                    todo, "http", era, Host="todo.example.com", Origin="https://example.com"
                ) as client:
                    await done(client, "add_task", title=f"from {era}")
                    assert await done(client, "list_tasks")

    asyncio.run(story())
    assert len(as_person(person, "direct")("list").lines) == 4


def test_mcp_without_a_token_answers_401(server: Server) -> None:
    answer = httpx2.post(server.url + "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "ping"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_mcp_progress_is_sent_on_request(person: Person, as_person: Callable[..., Todo]) -> None:
    told: list[float] = []

    async def heard(progress: float, total: float | None, message: str | None) -> None:
        told.append(progress)

    async def story() -> None:
        async with connected(as_person(person, "direct"), "stdio", ERAS[0]) as client:
            await client.call_tool("add_task", {"title": "x"}, progress_callback=heard)
            await asyncio.sleep(0.1)

    asyncio.run(story())
    assert told == [0, 1]
