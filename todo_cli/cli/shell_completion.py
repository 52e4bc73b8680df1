"""Complete what follows a command by its declaration: at the prompt of `todo chat`, and where no table has the command.

`cli/completion` completes for a shell, without typer. Nothing is sent over the network here.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from typer._click.shell_completion import ShellComplete
from typer.main import get_command

from todo_cli.cli.group import app, load_command


class _Finder(ShellComplete):
    """Finds words for callers who have split the line and print the result themselves."""

    name, source_template = "words", ""

    def source_vars(self) -> dict[str, Any]:
        """Return nothing: `todo completion` prints the scripts."""
        return {}

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return no words: they are passed."""
        return [], ""

    def format_completion(self, item: Any) -> str:
        """Return the word."""
        return str(item.value)


def find_completions(before: list[str], typed: str) -> list[tuple[str, str]]:
    """Return the words that can follow `before` and begin with `typed`, each with its help; nothing if it fails."""
    try:
        items = _Finder(get_command(app), {}, "todo", "_TODO_COMPLETE").get_completions(before, typed)
    except Exception:  # the person is still typing: the command itself reports what is wrong
        return []
    return [(item.value, (item.help or "").partition("\n")[0]) for item in items]


@cache
def takes_tasks(name: str) -> bool:
    """Return whether a command takes task numbers: its argument is called `task` or `tasks`."""
    return any(parameter.name in ("task", "tasks") for parameter in load_command(name).params)
