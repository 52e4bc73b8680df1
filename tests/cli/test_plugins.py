"""Programs named `todo-NAME` as commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import Todo


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    """Return the directory of a program `todo-hello` that prints what it gets."""
    program = tmp_path / "todo-hello"
    program.write_text('#!/bin/sh\nprintf "%s|" "$TODO_PROFILE" "$@"\nexit 7\n')
    program.chmod(0o755)
    return tmp_path


def with_path(directory: Path) -> dict[str, str]:
    """Return an environment whose PATH begins with the directory."""
    return {"PATH": f"{directory}{os.pathsep}{os.environ['PATH']}"}


def test_program_on_the_path_is_a_command_with_its_own_arguments_and_exit_code(bare: Todo, plugin: Path) -> None:
    found = bare("--profile", "work", "hello", "a b", "--json", "--flag", env=with_path(plugin))
    assert (found.code, found.out) == (7, "work|a b|--json|--flag|")


def test_command_of_ours_wins_and_an_unknown_word_stays_an_error(bare: Todo, plugin: Path) -> None:
    (plugin / "todo-version").write_text("#!/bin/sh\necho no\n")
    (plugin / "todo-version").chmod(0o755)
    assert bare("version", env=with_path(plugin)).out.startswith("todo ")
    assert bare("hallo", env=with_path(plugin)).code == 2


def test_program_that_cannot_run_is_named(bare: Todo, plugin: Path) -> None:
    (plugin / "todo-broken").write_text("#!/no/such/interpreter\n")
    (plugin / "todo-broken").chmod(0o755)
    found = bare("broken", env=with_path(plugin))
    assert found.code == 2
    assert "todo-broken cannot run" in found.err
