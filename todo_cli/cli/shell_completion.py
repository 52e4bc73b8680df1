"""Complete what follows a command: flags, subcommands and choices. Nothing is sent over the network.

`name_completion.py` completes the names of commands, before anything else is imported.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

from typer._click.shell_completion import ShellComplete
from typer.main import get_command

from todo_cli.cli.group import app, load_command


class _CompletionProtocol(ShellComplete):
    """Reads the variables that the scripts of `todo completion` set; prints one `word<TAB>help` per line."""

    name, source_template = "words", ""

    def source_vars(self) -> dict[str, Any]:
        """Return nothing: `todo completion` prints the scripts."""
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor's word, and the beginning of that word; COMP_CWORD counts from 0."""
        words = os.environ.get("COMP_WORDS", "").split("\n")
        index = os.environ.get("COMP_CWORD", "")
        count = int(index) if index.isdigit() else len(words) - 1
        # a shell's $(…) drops the last line end, and with it an empty word
        words = (words + [""] * (count + 1))[: count + 1]
        before, typed = words[1:-1], words[-1]
        if before and typed == "=":  # bash splits --sort=due into three words
            typed = ""
        elif len(before) > 1 and before[-1] == "=":
            before.pop()
        return before, typed

    def format_completion(self, item: Any) -> str:
        """Return one line."""
        return f"{item.value}\t{_first_line(item.help)}"


def _first_line(help: str | None) -> str:
    return (help or "").partition("\n")[0]


def print_completions() -> None:
    """Print the possible words; print nothing if there are none or anything fails."""
    try:
        lines = _CompletionProtocol(get_command(app), {}, "todo", "_TODO_COMPLETE").complete()
    except Exception:
        # The person is still typing. The command itself reports what is wrong.
        return
    sys.stdout.write(lines + "\n" if lines else "")


def find_completions(before: list[str], typed: str) -> list[tuple[str, str]]:
    """Return the words that can follow `before` and begin with `typed`, each with its help; nothing if it fails."""
    try:
        items = _CompletionProtocol(get_command(app), {}, "todo", "_TODO_COMPLETE").get_completions(before, typed)
    except Exception:
        return []
    return [(item.value, _first_line(item.help)) for item in items]


@cache
def takes_tasks(name: str) -> bool:
    """Return whether a command takes task numbers: its argument is called `task` or `tasks`."""
    return any(parameter.name in ("task", "tasks") for parameter in load_command(name).params)
