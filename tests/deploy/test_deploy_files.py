"""The files of deploy/ name commands, options and settings that exist, and their scripts run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.jobs.conftest import WORKER_PASSWORD
from tests.support.doc_pages import ROOT, write_todo_command
from tests.support.new_databases import create_database
from todo_cli.cli.group import load_command
from todo_cli.db.migrate import status
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.settings.keys import SETTING_KEYS
from todo_cli.settings.settings import load_settings

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SETTINGS = {key.env for key in SETTING_KEYS if key.env}
"""The environment variables of all settings."""


@pytest.fixture
def empty(postgres: LocalPostgres) -> Iterator[str]:
    """The URL of an empty database."""
    yield from create_database(postgres)


def parse_todo(arguments: list[str]) -> None:
    """Parse the arguments of `todo` as the command does; raises click's error for an unknown one."""
    name, *options = arguments
    load_command(name).make_context(name, options)


def read_unit(path: Path) -> dict[str, list[str]]:
    """Return the values of a unit by key."""
    values: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            values.setdefault(key, []).append(value)
    return values


def interpolate(value: str, environment: dict[str, str]) -> str:
    """Replace `${NAME:?}` and `${NAME:-default}` as compose does; raises KeyError for a required one."""

    def replace(match: re.Match[str]) -> str:
        name, operator, default = match.groups()
        return environment[name] if operator == ":?" else environment.get(name) or default

    return re.sub(r"\$\{(\w+)(:[?-])([^}]*)\}", replace, value).replace("$$", "$")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_unit_runs_a_command_that_exists(path: Path) -> None:
    unit = read_unit(path)
    (command,) = unit["ExecStart"]
    program, *arguments = command.split()
    assert program == "/opt/todo/bin/todo"
    parse_todo(arguments)
    named = set(re.findall(r"TODO_\w+", path.read_text()))
    assert named
    assert named <= SETTINGS


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd-analyze")
def test_unit_is_accepted_by_systemd(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text().replace("/opt/todo/bin/todo", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", copy], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["server", "worker"])
def test_compose_service_runs_a_command_that_exists_with_settings_that_exist(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    service = COMPOSE["services"][name]
    parse_todo(service["command"])
    monkeypatch.setenv("TODO_CONFIG", str(tmp_path / "config.toml"))
    for key, value in service["environment"].items():
        assert key in SETTINGS | {"OPENAI_BASE_URL", "OPENAI_API_KEY"}
        monkeypatch.setenv(key, interpolate(value, {"SERVER_PASSWORD": "one", "WORKER_PASSWORD": "two"}))
    settings = load_settings()
    login = settings.serve_database_url if name == "server" else settings.worker_database_url
    assert login is not None
    assert login.reveal().startswith(f"postgresql://todo_{name}:")


def test_compose_variables_are_those_of_the_example() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    example = set(re.findall(r"^(\w+)=", (DEPLOY / "environment.example").read_text(), re.MULTILINE))
    assert used == example


def test_compose_services_start_after_the_tables_are_up_to_date() -> None:
    for name in ("server", "worker"):
        assert COMPOSE["services"][name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}


def test_compose_migration_creates_the_tables_and_the_passwords(empty: str, tmp_path: Path) -> None:
    """The script of the service runs here, with the passwords that the logins of all tests have."""
    service = COMPOSE["services"]["migrate"]
    passwords = {"OWNER_PASSWORD": "", "SERVER_PASSWORD": "server-password", "WORKER_PASSWORD": WORKER_PASSWORD}
    environment = {key: interpolate(value, passwords) for key, value in service["environment"].items()}
    environment["TODO_OWNER_URL"] = empty
    path = f"{write_todo_command(tmp_path / 'bin')}:{os.defpath}"
    for _ in range(2):  # it runs again at every start
        subprocess.run(
            [*service["entrypoint"], interpolate(service["command"][0], {})],
            env=environment | {"PATH": path, "HOME": str(tmp_path)},
            check=True,
        )
    assert status(empty).current


def test_container_file_copies_files_that_exist_and_runs_a_command_that_exists() -> None:
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    for line in lines:
        if line.startswith("COPY ") and "--from" not in line:
            assert all((ROOT / name).exists() for name in line.split()[1:-1]), line
    (arguments,) = [line.removeprefix("CMD ") for line in lines if line.startswith("CMD ")]
    parse_todo(yaml.safe_load(arguments))
    (extras,) = re.findall(r"'\.\[(.*?)\]'", "\n".join(lines))
    project = (ROOT / "pyproject.toml").read_text()
    assert all(re.search(rf"^{name} = \[", project, re.MULTILINE) for name in extras.split(","))
