"""Adding an operation takes three files: its Request, its handler and its command. Every table is derived from them.

The test adds `todo snooze` to a copy of the package and finds it in the help, over HTTP, in the OpenAPI document, among
the tools of models and of MCP clients, in plans, in the history and in undo.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.conftest import Database, Person, Server, Todo, start_server

PACKAGE = Path(__file__).parent.parent.parent / "todo_cli"

CONTRACT = '''"""Snoozing tasks."""

from __future__ import annotations

from todo_cli.contract.base import Asks
from todo_cli.contract.tasks import OnTasks


class SnoozeTasks(OnTasks, frozen=True, kw_only=True):
    """Hide tasks until the year 2100."""

    verb = "SnoozeTasks"
    label = "snooze"
    past = "Snoozed"
    tool = "snooze_task"
    route = "POST /v1/tasks/snoozes"
    asks = Asks.SEVERAL
'''

CORE = '''"""Snooze tasks."""

from __future__ import annotations

from datetime import date

from msgspec.structs import replace

from todo_cli.contract.snooze import SnoozeTasks
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.select import select_rows
from todo_cli.core.tasks.store import Edits


@writes(SnoozeTasks)
def snooze_tasks(loaded: Loaded, wanted: Wanted, request: SnoozeTasks) -> Edits:
    """Hide tasks until the year 2100."""
    return Edits(rows=[replace(row, defer_on=date(2100, 1, 1)) for row in select_rows(loaded, wanted)])
'''

COMMAND = '''"""Hide tasks until the year 2100."""

from __future__ import annotations

from todo_cli.cli.change_tasks import change_command
from todo_cli.contract.snooze import SnoozeTasks

PANEL = "Tasks"
HELP = """Hide tasks until the year 2100.

todo snooze 12

todo snooze 3 7-9 --plan
"""

app = change_command(SnoozeTasks, help=HELP)
'''

FILES = {"contract/snooze.py": CONTRACT, "core/tasks/snooze.py": CORE, "cli/commands/snooze.py": COMMAND}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a copy of the package and the three files in it."""
    directory = tmp_path_factory.mktemp("snooze")
    shutil.copytree(PACKAGE, directory / "todo_cli", ignore=shutil.ignore_patterns("__pycache__"))
    for path, text in FILES.items():
        (directory / "todo_cli" / path).write_text(text)
    return directory


@pytest.fixture(scope="module")
def server(copy: Path, db: Database) -> Iterator[Server]:
    """A server that runs the copy."""
    running = start_server(copy, db, env={"PYTHONPATH": str(copy), "PYTHONSAFEPATH": "1"})
    yield running
    running.stop()


@pytest.fixture(params=["direct", "api"])
def todo(request: pytest.FixtureRequest, copy: Path, person: Person) -> Todo:
    """The command of the copy, each way in."""
    where = {"TODO_DATABASE_URL": person.database_url}
    if request.param == "api":
        where = {"TODO_SERVER": request.getfixturevalue("server").url}
    return Todo(copy, where | {"TODO_TOKEN": person.token, "TODO_TIMEZONE": "UTC", "PYTHONPATH": str(copy)})


def test_new_operation_command_runs_with_help_plan_history_and_undo(todo: Todo) -> None:
    todo("add", "Paint the fence")
    assert "Hide tasks until the year 2100." in todo("--help").out
    assert "todo snooze 3 7-9 --plan" in todo("snooze", "--help").out
    names = todo("sno", env={"_TODO_COMPLETE": "zsh"})
    assert names.out == "snooze\tHide tasks until the year 2100.\n"
    options = todo("snooze", "--pl", env={"_TODO_COMPLETE": "zsh"})
    assert options.out.startswith("--plan\tShow the changes"), "by its own declaration, as long as no table has it"

    planned = todo("snooze", "1", "--plan")
    assert planned.code == 0, planned.err
    assert todo("apply").out.splitlines()[0].endswith("  snooze")
    assert todo("show", "1", "--json").json.get("defer") is None
    snoozed = todo("snooze", "1")
    assert snoozed.out.startswith("Snoozed #1 Paint the fence"), snoozed.err
    assert todo("show", "1", "--json").json["defer"] == "2100-01-01"
    assert todo("log", "--json").json["changes"][0]["verb"] == "SnoozeTasks"
    assert todo("log").lines[0].split("\t")[5] == "snooze"
    assert todo("undo").code == 0
    assert todo("show", "1", "--json").json.get("defer") is None


def test_new_operation_server_has_route_document_and_mcp_tool(server: Server, person: Person) -> None:
    headers = {"Authorization": f"Bearer {person.token}", "Content-Type": "application/json"}

    def post(path: str, body: object) -> object:
        data = json.dumps(body).encode()
        with urlopen(HttpRequest(server.url + path, data, headers=headers), timeout=20) as answer:
            return json.load(answer)

    post("/v1/tasks", {"title": "Paint the fence"})
    assert post("/v1/tasks/snoozes", {"numbers": [1]})["tasks"][0]["defer"] == "2100-01-01"  # type: ignore[index]
    with urlopen(server.url + "/openapi.json", timeout=20) as answer:
        operation = json.load(answer)["paths"]["/v1/tasks/snoozes"]["post"]
    assert operation["summary"] == "Hide tasks until the year 2100."

    async def tools() -> dict[str, str | None]:
        async with (
            httpx2.AsyncClient(headers=headers, timeout=30) as http,
            Client(streamable_http_client(server.url + "/mcp", http_client=http)) as client,
        ):
            await client.call_tool("snooze_task", {"numbers": [1]})
            return {tool.name: tool.description for tool in (await client.list_tools()).tools}

    assert asyncio.run(tools())["snooze_task"] == "Hide tasks until the year 2100."


def test_new_operation_model_finds_its_tool(copy: Path) -> None:
    code = 'from todo_cli.agent.tool_selection import find_tools; print(find_tools(\'{"words": "snooze"}\'))'
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=copy,
        env={"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [tool["name"] for tool in json.loads(done.stdout)["tools"]] == ["snooze_task"]
