"""Every command in the README runs, in its order, as a person would type it; its tables say what is so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.conftest import free_port
from tests.support.fake_model import says, scripted
from todo_cli.errors import ERRORS
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.settings.keys import SETTING_KEYS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
INSTALL, *BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def newcomer() -> Iterator[Path]:
    """A home that another account can get through, since as root the Postgres runs as one."""
    home = Path(tempfile.mkdtemp(prefix="todo-readme-"))
    home.chmod(0o755)
    yield home
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TODO_HOME": str(home / "pg")}
    subprocess.run([home / ".local/todo/bin/todo", "init", "--destroy", "--yes"], env=environment, check=False)
    shutil.rmtree(home)


def bash(script: str, home: Path, path: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Run it as one bash session in cron's bare environment; background jobs end with it."""
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "UV_"))}
    environment = pip | {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "TODO_HOME": str(home / "pg")}
    script = f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\nset -eu\n{script}"
    return subprocess.run(["bash", "-c", script], env=environment, cwd=directory, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          check=False, timeout=280)  # fmt: skip


def test_the_readme_from_its_first_command_to_its_last(newcomer: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    tracked = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).exists():
            (checkout / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, checkout / name)
    python = Path(sys.executable).parent
    done = bash(INSTALL, newcomer, f"{python}:/usr/bin:/bin", checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Your list is ready" in done.stdout

    port = "8765"
    script = "\n".join(BLOCKS).replace(port, str(free_port()))
    done = bash(script, newcomer, f"{newcomer}/.local/todo/bin:{python}:/usr/bin:/bin", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "exit code 3" in done.stdout
    assert "exit code 4" in done.stdout
    assert "exit code 9" in done.stdout
    with_a_model(newcomer, f"{newcomer}/.local/todo/bin:{python}:/usr/bin:/bin", tmp_path)
    for_a_team(newcomer, f"{newcomer}/.local/todo/bin:{python}:/usr/bin:/bin", tmp_path)


def with_a_model(home: Path, path: str, directory: Path) -> None:
    """The chat's block, with a scripted model in place of a real one."""
    block, _ = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    with scripted() as model:
        model.otherwise = says("Of course.")
        block = f"export OPENAI_BASE_URL={model.url} TODO_MODEL=test-model\n{block}"
        done = bash(block, home, path, directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Of course.") == 3, done.stdout
    model.assert_valid()


def for_a_team(home: Path, path: str, directory: Path) -> None:
    """The team's block, with the newcomer's Postgres in place of the example's, and its server asked and stopped."""
    _, block = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    server = LocalPostgres(home / "pg")
    with psycopg.connect(server.owner_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE team")
    port = str(free_port())
    for example, real in {
        "postgresql://postgres@db.example.org/todo": f"'{server.owner_url('team')}'",
        "postgresql://todo_server:$(cat server.password)@db.example.org/todo": server.url(
            "todo_server", "PASSWORD", "team"
        ).replace("PASSWORD", "$(cat server.password)"),
        "--port 8000 --workers 2": f"--port {port} --workers 2 & sleep 4; curl -s http://127.0.0.1:{port}/readyz",
    }.items():
        assert example in block
        block = block.replace(example, real)
    done = bash(block, home, path, directory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '{"status":"ready"}' in done.stdout


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = re.findall(r"^```text\n(python3 -m tests)\n```", README, re.MULTILINE)
    assert f"exec {command}\n" in (ROOT / ".ci/run").read_text()


def test_the_exit_codes_are_the_tables() -> None:
    table = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    assert table == {0, 130} | {kind.exit_code for kind in ERRORS.values()}


def test_the_keys_are_the_tables() -> None:
    wanted = keys_table()
    found = README.partition("<!-- keys -->\n")[2].partition("<!-- /keys -->")[0]
    assert found == wanted


def keys_table() -> str:
    """The configuration's table, as it must stand in the README."""
    sections = {"": "", "profile": "[profiles.NAME]", "server": "[server]", "model": "[model]"}
    rows = [
        f"| {sections[key.section]} | `{key.name}` | {f'`{key.env}`' if key.env else ''} "
        f"| {'' if key.default is None else f'`{key.default}`'} | {key.about} |"
        for key in SETTING_KEYS
    ]
    return "\n".join(["| section | key | environment | default | what it is |", "|---|---|---|---|---|", *rows, ""])
