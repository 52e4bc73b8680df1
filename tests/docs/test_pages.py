"""Every shell command in the README and in docs/ runs, in the order in which a reader meets it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import free_port
from tests.support.command_server import CommandServer
from tests.support.doc_pages import (
    PAGES,
    README,
    ROOT,
    Block,
    build_script,
    read_blocks,
    read_shell_blocks,
    run_bash,
    write_todo_command,
)
from tests.support.fake_model import run_fake_model
from tests.support.model_answers import text_answer
from todo_cli.local_postgres.cluster import LocalPostgres

RUN_PAGES = [page for page in PAGES if page != README and read_shell_blocks(page)]
FOLDERS = {path.name for path in [*ROOT.iterdir(), *(ROOT / "todo_cli").iterdir()] if path.is_dir()}
LANGUAGES = {"sh", "text", "json", "toml", "python", "sql"}


@contextmanager
def make_home() -> Iterator[Path]:
    """Yield a home directory. Other accounts can enter it: as root, Postgres runs as another account."""
    directory = Path(tempfile.mkdtemp(prefix="todo-docs-"))
    directory.chmod(0o755)
    yield directory
    for data in directory.glob("*/pgdata"):
        LocalPostgres(data.parent).destroy()
    shutil.rmtree(directory)


@pytest.fixture
def home() -> Iterator[Path]:
    """A reader's empty home directory."""
    with make_home() as directory:
        yield directory


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, command_server: CommandServer | None) -> str:
    """The PATH of a reader who has installed the program."""
    programs = write_todo_command(tmp_path_factory.mktemp("programs") / "bin", command_server)
    return f"{programs}:{Path(sys.executable).parent}:/usr/bin:/bin"


@pytest.fixture(scope="module")
def first_home(path: str) -> Iterator[Path]:
    """A home directory with an empty list, whose Postgres is stopped."""
    with make_home() as directory:
        made = run_bash("todo init && todo init --stop", directory, path, directory)
        assert made.returncode == 0, made.stderr
        yield directory


@pytest.fixture
def page_home(first_home: Path) -> Iterator[Path]:
    """A copy of it, with an empty list of its own."""
    with make_home() as directory:
        subprocess.run(["cp", "-a", f"{first_home}/.", str(directory)], check=True)
        settings = directory / ".config/todo/config.toml"
        settings.write_text(settings.read_text().replace(str(first_home), str(directory)))
        yield directory


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The empty directory that the reader works in."""
    directory = tmp_path / "work"
    directory.mkdir()
    return directory


def test_readme_commands_run_from_install_to_end(home: Path, tmp_path: Path, work: Path) -> None:
    checkout = copy_checkout(tmp_path / "checkout")
    install, *blocks = read_shell_blocks(README)
    python = Path(sys.executable).parent
    done = run_bash(install.script, home, f"{python}:/usr/bin:/bin", checkout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Your list is ready" in done.stdout
    run_blocks(blocks, home, f"{home}/.local/todo/bin:{python}:/usr/bin:/bin", work, has_service=True)


@pytest.mark.parametrize("page", RUN_PAGES, ids=lambda page: page.name)
def test_page_commands_run_in_order(page: Path, page_home: Path, path: str, work: Path) -> None:
    run_blocks(read_shell_blocks(page), page_home, path, work, has_service=page.name == "local.md")


def run_blocks(blocks: list[Block], home: Path, path: str, work: Path, *, has_service: bool) -> None:
    """Run the blocks of a page as one session. Each exit code that the page states is the one that came."""
    with run_fake_model() as model:
        model.otherwise = text_answer("Of course.")
        blocks = [stand_in_for_team(block, home) if block.needs == "team" else block for block in blocks]
        script = build_script(blocks, model.url)
        done = run_bash(script, home, path, work, has_service=has_service)
        model.assert_valid()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    stated = re.findall(r"# exit code (\d+)", script)
    assert re.findall(r"^exit code (\d+)$", done.stdout, re.MULTILINE) == stated, done.stdout + done.stderr
    assert ("Of course." in done.stdout) == any(block.needs == "model" for block in blocks), done.stdout


def stand_in_for_team(block: Block, home: Path) -> Block:
    """Replace the team's database server by another local Postgres, and leave the server of the block running."""
    local = LocalPostgres(home / "team")
    local.ensure()
    with psycopg.connect(local.owner_url("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE team")
    port, script = str(free_port()), block.script
    service = local.url("todo_server", "PASSWORD", "team").replace("PASSWORD", "$(cat server.password)")
    for example, real in {
        "postgresql://postgres@db.example.org/todo": f"'{local.owner_url('team')}'",
        "postgresql://todo_server:$(cat server.password)@db.example.org/todo": service,
        "--host 0.0.0.0 --port 8000 --workers 2": f"--port {port} --workers 2 & sleep 4; "
        f"curl -s http://127.0.0.1:{port}/readyz | grep -q ready",
        "https://todo.example.org": f"http://127.0.0.1:{port}",
    }.items():
        assert example in script
        script = script.replace(example, real)
    return block._replace(script=script)


def copy_checkout(target: Path) -> Path:
    """Copy the files that a clone would have."""
    listed = subprocess.run(
        ["git", "ls-files", "-zco", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    return target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_blocks_have_a_known_language(page: Path) -> None:
    """A shell command cannot hide from the test behind another name of the language."""
    assert {block.language for block in read_blocks(page)} <= LANGUAGES
    assert {block.needs for block in read_shell_blocks(page)} <= {"", "model", "team"}


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md")], ids=lambda page: page.name)
def test_page_links_lead_to_files(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_ci_runs_the_test_command_of_the_readme() -> None:
    (command,) = re.findall(r"^```text\n(python3 -m tests)\n```", README.read_text(), re.MULTILINE)
    assert f"exec {command}\n" in (ROOT / ".ci/run").read_text()


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"], ids=lambda page: page.name)
def test_page_names_files_that_exist(page: Path) -> None:
    """A path in backticks leads to a file of the repository or of the package; `<name>` is any name."""
    for name in re.findall(r"`((?:\w+/)+[\w./-]*)`", page.read_text()):
        if name.split("/")[0] in FOLDERS:
            assert any((folder / name).exists() for folder in (ROOT, ROOT / "todo_cli")), name
