"""Completing a command line: the flags, subcommands and choices of the command that is named. No network."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

from typer._click.shell_completion import ShellComplete
from typer.main import get_command

from todo_cli.cli.group import app, load_command


class _CompletionProtocol(ShellComplete):
    """Reads what the scripts of `todo completion` send, writes `word<TAB>what it is` a line."""

    name, source_template = "words", ""

    def source_vars(self) -> dict[str, Any]:
        """None: `todo completion` has the scripts."""
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor's, and the beginning of that one; all the shells count from 0."""
        words = os.environ.get("COMP_WORDS", "").split("\n")
        place = os.environ.get("COMP_CWORD", "")
        count = int(place) if place.isdigit() else len(words) - 1
        # a shell's $(…) drops the last line end, and with it an empty word
        words = (words + [""] * (count + 1))[: count + 1]
        before, typed = words[1:-1], words[-1]
        if before and typed == "=":  # bash takes --sort=due for three words
            typed = ""
        elif len(before) > 1 and before[-1] == "=":
            before.pop()
        return before, typed

    def format_completion(self, item: Any) -> str:
        """One line."""
        return f"{item.value}\t{(item.help or '').splitlines()[0] if item.help else ''}"


def print_completions() -> None:
    """Write the possible words; nothing at all for what cannot be completed."""
    try:
        found = _CompletionProtocol(get_command(app), {}, "todo", "_TODO_COMPLETE").complete()
    except Exception:
        # a person is typing: whatever is wrong, the command itself will say so
        return
    sys.stdout.write(found + "\n" if found else "")


def find_completions(before: list[str], typed: str) -> list[tuple[str, str]]:
    """What may stand in the place of `typed` behind these words, each with what it is; nothing where unknown."""
    try:
        found = _CompletionProtocol(get_command(app), {}, "todo", "_TODO_COMPLETE").get_completions(before, typed)
    except Exception:
        return []
    return [(item.value, (item.help or "").partition("\n")[0]) for item in found]


@cache
def takes_tasks(name: str) -> bool:
    """Return whether a command takes numbers of tasks: its argument is called `task` or `tasks`."""
    return any(parameter.name in ("task", "tasks") for parameter in load_command(name).params)
