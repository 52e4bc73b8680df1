"""The output of a command on a terminal, and texts with control characters."""

from __future__ import annotations

import re

import pexpect

from tests.conftest import Todo

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NASTY = "[bold red]x[/] \x1b[31mred\x1b]0;title\x07 \u202egnp.exe \x9b5m \u2066i\u2069 \x7f"
SHOWN = r"[bold red]x[/] \x1b[31mred\x1b]0;title\x07 \u202egnp.exe \x9b5m \u2066i\u2069 \x7f"
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def run_on_terminal(todo: Todo, *arguments: str, columns: int = 80, env: dict[str, str] | None = None) -> str:
    """Return the output of a command on a terminal of this width."""
    child = todo.spawn(*arguments, rows=40, columns=columns, env={"TERM": "xterm-256color", **(env or {})})
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before).replace("\r\n", "\n")
