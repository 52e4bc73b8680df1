"""Every command has a panel, a summary and help with two examples, and help needs neither network nor settings."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator

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


def help_texts(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each help in a command file: docstrings of commands, and HELP of shared ones."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.decorator_list:
            yield node.name, ast.get_docstring(node) or ""
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "HELP":
            yield "HELP", ast.literal_eval(node.value)


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_summary_and_two_examples(name: str) -> None:
    _, _, summary = COMMANDS[name]
    assert re.fullmatch(r"[A-Z][^.]*\.", summary), "one imperative sentence"
    tree = ast.parse((PACKAGE / "cli" / "commands" / f"{name}.py").read_text())
    texts = dict(help_texts(tree))
    assert texts
    for function, text in texts.items():
        examples = re.findall(r"^(\S.*)?\btodo\b ", text, re.MULTILINE)
        assert len(examples) >= 2 or (name, function) in WITHOUT_EXAMPLES, function


def test_help_needs_no_environment_and_lists_every_command() -> None:
    done = subprocess.run([*COMMAND, "--help"], env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name, (_, _, summary) in COMMANDS.items():
        assert re.search(rf"\b{name}\s+{re.escape(summary[:40])}", done.stdout), name
