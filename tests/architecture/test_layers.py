"""Imports point downwards: no layer knows one above it."""

from __future__ import annotations

import re

from tests.support.source_tree import modules

LAYERS = {
    "contract": 0,
    "errors": 0,
    "command_table": 0,
    "name_completion": 1,
    "db": 1,
    "formats": 1,
    "parsing": 1,
    "settings": 1,
    "stores": 1,
    "core": 2,
    "tools": 3,
    "agent": 4,
    "llm": 4,
    "clients": 5,
    "turn_client": 5,
    "change_client": 5,
    "local_postgres": 5,
    "local_service": 5,
    "jobs": 5,
    "server": 5,
    "cli": 6,
    "main": 6,
}

OPERATING_COMMANDS = {"serve", "db", "admin", "init", "doctor", "doctor_server", "mcp", "worker", "admin_user_data"}
"""These commands alone may import the core, the database and the server."""


def test_imports_of_every_module_point_to_its_layer_or_below() -> None:
    wrong = [
        f"{module.name} -> {name}"
        for module in modules()
        for name in module.imports
        if name.startswith("todo_cli.") and LAYERS.get(name.split(".")[1], 0) > LAYERS[module.package]
    ]
    assert wrong == []


def test_terminal_modules_import_no_rules_and_no_database() -> None:
    wrong = [
        f"{module.name} -> {name}"
        for module in modules()
        if module.package == "cli" and module.path.stem not in OPERATING_COMMANDS
        for name in module.imports
        if re.match(r"todo_cli\.(core|db|server)\b", name)
    ]
    assert wrong == []


def test_http_client_imports_only_the_contract() -> None:
    allowed = r"todo_cli\.(contract|errors|settings|clients\.(base|http_\w+|clock_skew))\b"
    wrong = [
        f"{module.name} -> {name}"
        for module in modules()
        if module.package == "clients" and module.path.stem.startswith("http")
        for name in module.imports
        if name.startswith("todo_cli.") and not re.match(allowed, name)
    ]
    assert wrong == []


def test_core_modules_know_no_entry_point_and_no_model() -> None:
    wrong = [
        f"{module.name} -> {name}"
        for module in modules()
        if module.package == "core"
        for name in module.imports
        if name.startswith("todo_cli.") and not re.match(r"todo_cli\.(contract|core|db|errors|parsing|stores)\b", name)
    ]
    assert wrong == []
