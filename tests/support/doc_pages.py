"""The pages of the documentation, and a way to run the shell blocks of one page as a reader would.

A fence of the language `sh` is run. Words behind the language say what the block needs:

    ```sh          any list
    ```sh model    a model: a scripted one answers "Of course."
    ```sh team     the database server of a team: another local Postgres replaces `db.example.org`

Blocks of other languages (`text`, `json`, `toml`) are shown to the reader and never run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.conftest import free_port
from tests.support.command_server import CommandServer

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
PAGE_SECONDS = 600
_FENCE = re.compile(r"^```(?P<language>\S*)(?P<needs>[^\n]*)\n(?P<script>.*?)^```$", re.MULTILINE | re.DOTALL)
_EXAMPLE_PORTS = ("8765", "8000")


class Block(NamedTuple):
    """One fenced block of a page."""

    language: str
    needs: str
    script: str


def read_blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page in their order."""
    return [
        Block(match["language"], match["needs"].strip(), match["script"]) for match in _FENCE.finditer(page.read_text())
    ]


def read_shell_blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that are run."""
    return [block for block in read_blocks(page) if block.language == "sh"]


def write_todo_command(directory: Path, server: CommandServer | None = None) -> Path:
    """Write a `todo` command that runs this checkout, forked by the server if given; return its directory, for PATH."""
    directory.mkdir()
    command = directory / "todo"
    if server:
        server.write_command(command)
        return directory
    command.write_text(
        f'#!{sys.executable}\nfrom todo_cli.main import main\n\nif __name__ == "__main__":\n    main()\n'
    )
    command.chmod(0o755)
    return directory


def build_script(blocks: list[Block], model_url: str) -> str:
    """Join the blocks of a page into one script, with a port of our own for each port of the examples."""
    with_model = f"OPENAI_BASE_URL={model_url} TODO_MODEL=test-model"
    parts = [
        f"export {with_model}\n{block.script}unset OPENAI_BASE_URL TODO_MODEL\n"
        if block.needs == "model"
        else block.script
        for block in blocks
    ]
    script = "\n".join(parts)
    for port in _EXAMPLE_PORTS:
        script = re.sub(rf"\b{port}\b", str(free_port()), script)
    return script


def run_bash(
    script: str, home: Path, path: str, directory: Path, *, has_service: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run a script as one bash session in the environment of a cron job; end its background jobs with it."""
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "UV_"))}
    # what is installed is compiled when it is imported: the commands of a page import a part of it
    pip |= {"PIP_COMPILE": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    environment = pip | {"HOME": str(home), "PATH": path, "LANG": "C.UTF-8", "TODO_HOME": str(home / "pg")}
    environment |= {} if has_service else {"TODO_SERVICE": "false"}
    script = f"trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\nset -eu\n{script}"
    return subprocess.run(
        ["bash", "-c", script],
        env=environment,
        cwd=directory,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=PAGE_SECONDS,
    )
