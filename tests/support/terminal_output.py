"""The output of a command on a terminal."""

from __future__ import annotations

import re

import pexpect

from tests.conftest import Todo

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run_on_terminal(todo: Todo, *arguments: str, columns: int = 80, env: dict[str, str] | None = None) -> str:
    """Return the output of a command on a terminal of this width."""
    child = todo.spawn(*arguments, rows=40, columns=columns, env={"TERM": "xterm-256color", **(env or {})})
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before).replace("\r\n", "\n")
