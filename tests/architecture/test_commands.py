"""Every command has a panel, a summary and help with two examples, and help needs neither network nor settings."""

from __future__ import annotations

import ast
import re
import subprocess

import pytest

from tests.conftest import COMMAND
from tests.support.source_tree import PACKAGE
from todo_cli.command_table import COMMANDS, PANELS

WITHOUT_EXAMPLES = {("admin", "admin")}  # a group, whose subcommands have them


def test_command_files_name_a_known_panel() -> None:
    for path in (PACKAGE / "cli" / "commands").glob("*.py"):
        for panel in re.findall(r'^PANEL = "(.*)"', path.read_text(), re.MULTILINE):
            assert panel in PANELS, path.name
            assert path.stem in COMMANDS, path.name


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_summary_and_two_examples(name: str) -> None:
    _, _, summary = COMMANDS[name]
    assert re.fullmatch(r"[A-Z][^.]*\.", summary), "one imperative sentence"
    tree = ast.parse((PACKAGE / "cli" / "commands" / f"{name}.py").read_text())
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.decorator_list:
            examples = re.findall(r"^(\S.*)?\btodo\b ", ast.get_docstring(function) or "", re.MULTILINE)
            assert len(examples) >= 2 or (name, function.name) in WITHOUT_EXAMPLES, function.name


def test_help_needs_no_environment_and_lists_every_command() -> None:
    done = subprocess.run([*COMMAND, "--help"], env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, _, summary) in COMMANDS.items():
        assert re.search(rf"\b{name}\s+{re.escape(summary[:40])}", done.stdout), name
