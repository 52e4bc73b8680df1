"""Idempotency keys of MCP calls: a repeated call acts once, and a call without a key names the task like it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from random import Random
from typing import Any

import httpx2
import pytest

from tests.conftest import Database, Person, Server, Todo
from tests.server.test_mcp import ERAS, connected, done
from tests.support.tcp_proxy import LossyProxy
from todo_cli.contract.limits import MAX_KEY_CHARS
from todo_cli.tools.tool_list import TOOLS

VERSIONS = {"legacy": "2025-06-18", "auto": "2026-07-28"}


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(("transport", "way"), [("stdio", "direct"), ("stdio", "api"), ("http", "api")])
def test_call_with_a_key_acts_once(
    person: Person, as_person: Callable[..., Todo], transport: str, way: str, era: str
) -> None:
    todo = as_person(person, way)

    async def story() -> None:
        async with connected(todo, transport, era) as client:
            first = await done(client, "add_task", title="milk", key="k1")
            again = await done(client, "add_task", title="milk", key="k1")
            assert (first["number"], first["new"], again["number"], again["new"]) == (1, True, 1, False)
            stated = await client.call_tool("add_task", {"title": "milk"}, meta={"key": "k1"})
            assert stated.structured_content["new"] is False
            edited = [await done(client, "update_task", number=1, add_tags=["shop"], key=7) for _ in range(2)]
            assert [change["new"] for change in edited] == [True, False]
            other = await client.call_tool("add_task", {"title": "bread", "key": "k1"})
            assert json.loads(other.content[0].text)["type"].endswith("conflict")
            two = await client.call_tool("add_task", {"title": "milk", "key": "k1"}, meta={"key": "k2"})
            assert "two different keys" in two.content[0].text

    asyncio.run(story())
    assert [row["verb"] for row in todo("log", "--json").json["changes"]] == ["EditTasks", "AddTask"]
    assert "the key 'k1' was used" in todo("add", "bread", "--key", "k1").err


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY_CHARS + 1), "a\nb", {"a": 1}])
def test_call_with_a_bad_key_changes_nothing(person: Person, as_person: Callable[..., Todo], key: Any) -> None:
    todo = as_person(person, "api")

    async def story() -> None:
        async with connected(todo, "http", ERAS[0]) as client:
            refused = await client.call_tool("add_task", {"title": "milk"}, meta={"key": key})
            assert refused.is_error
            assert "key" in refused.content[0].text

    asyncio.run(story())
    assert todo("list").lines == []


@pytest.mark.parametrize("transport", ["stdio", "http"])
def test_call_without_a_key_names_the_task_like_it(
    person: Person, as_person: Callable[..., Todo], transport: str
) -> None:
    todo = as_person(person, "api")

    async def story() -> None:
        async with connected(todo, transport, ERAS[1]) as client:
            assert "similar" not in await done(client, "add_task", title="milk", tags=["shop"])
            assert "similar" not in await done(client, "add_task", title="milk")
            twin = await done(client, "add_task", title="milk", tags=["shop"])
            assert (twin["number"], twin["new"], twin["similar"]["number"]) == (3, True, 1)
            assert 0 <= twin["similar"]["seconds_ago"] < 60
            assert "similar" not in await done(client, "add_task", title="milk", tags=["shop"], key="meant")
            await done(client, "delete_task", numbers=[1, 3])
            assert "similar" not in await done(client, "add_task", title="milk", tags=["shop"])

    asyncio.run(story())
    assert [task["number"] for task in todo("list", "--json").json["tasks"]] == [2, 4, 5]


def test_tools_have_titles_answer_schemas_keys_and_an_order(person: Person, as_person: Callable[..., Todo]) -> None:
    async def story() -> None:
        async with connected(as_person(person, "api"), "http", ERAS[1]) as client:
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == sorted(TOOLS)
            assert all(tool.title and tool.output_schema and tool.output_schema["type"] == "object" for tool in tools)
            with_key = {tool.name for tool in tools if "key" in tool.input_schema["properties"]}
            assert with_key == {name for name, request in TOOLS.items() if request.write}
            uris = [resource.uri for resource in (await client.list_resources()).resources]
            prompts = [prompt.name for prompt in (await client.list_prompts()).prompts]
            assert (uris, prompts) == (sorted(uris), sorted(prompts))

    asyncio.run(story())


class RepeatingClient:
    """A client of one era that sends a call again until it has an answer, and now and then twice at once."""

    def __init__(self, url: str, token: str, era: str, random: Random) -> None:
        self._url, self._era, self._random = url + "/mcp", era, random
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSIONS[era],
        }
        self._http = httpx2.AsyncClient(headers=headers, timeout=60)
        self.sent = 0

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the structured content of the answer."""
        if self._random.random() < 0.1:
            answers = await asyncio.gather(self._call(tool, arguments), self._call(tool, arguments))
            return answers[0]
        return await self._call(tool, arguments)

    async def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        params: dict[str, Any] = {"name": tool, "arguments": arguments}
        headers: dict[str, str] = {}
        if self._era == "auto":
            prefix = "io.modelcontextprotocol/"
            client = {"name": "test", "version": "1"}
            values = {"protocolVersion": VERSIONS[self._era], "clientInfo": client, "clientCapabilities": {}}
            params["_meta"] = {prefix + name: value for name, value in values.items()}
            headers = {"Mcp-Method": "tools/call", "Mcp-Name": tool}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        while True:
            self.sent += 1
            try:
                answer = await self._http.post(self._url, json=body, headers=headers)
            except httpx2.TransportError:
                continue
            assert answer.status_code == 200, answer.text
            result = answer.json()["result"]
            content: dict[str, Any] = result["structuredContent"]
            if not result.get("isError"):
                return content
            assert content["status"] == 503, result  # a busy machine: the key makes it safe to send the call again


async def _send_calls(client: RepeatingClient, calls: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Send the first call, then the others from twelve workers; return their answers in order."""
    answers: list[dict[str, Any]] = [await client.call(*calls[0]), *({} for _ in calls[1:])]
    places = iter(range(1, len(calls)))

    async def work() -> None:
        for place in places:
            answers[place] = await client.call(*calls[place])

    try:
        await asyncio.gather(*(work() for _ in range(12)))
    finally:
        await client.aclose()
    return answers


@pytest.mark.parametrize("count", [150, pytest.param(10_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("era", ERAS)
def test_keyed_calls_through_a_proxy_that_drops_answers_act_once(
    db: Database, person: Person, server: Server, era: str, count: int
) -> None:
    """No call is doubled and none is lost: as many changes as calls, each task once."""
    seed = int(os.environ.get("TODO_TEST_SEED") or int.from_bytes(os.urandom(4)))
    calls: list[tuple[str, dict[str, Any]]] = [
        ("update_task", {"number": 1, "note": f"note {place}", "key": f"call-{place}"})
        if place % 5 == 1
        else ("add_task", {"title": f"task {place}", "key": f"call-{place}"})
        for place in range(count)
    ]
    proxy = LossyProxy(server.url, seed, share=0.2)
    try:
        client = RepeatingClient(proxy.url, person.token, era, Random(seed))
        answers = asyncio.run(_send_calls(client, calls))
    finally:
        proxy.close()
    print(f"seed {seed}: {count} calls sent {client.sent} times, {proxy.dropped} answers dropped")
    keys = db.execute("SELECT key FROM todo.changes WHERE space_id = %s", person.user_id)
    assert sorted(key for [key] in keys) == sorted(arguments["key"] for _, arguments in calls), f"seed {seed}"
    stored = db.execute("SELECT title, number FROM todo.tasks WHERE space_id = %s", person.user_id)
    answered = [
        (arguments["title"], answer["number"])
        for (tool, arguments), answer in zip(calls, answers, strict=True)
        if tool == "add_task"
    ]
    assert sorted(stored) == sorted(answered), f"seed {seed}"
