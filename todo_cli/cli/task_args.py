"""Arguments that name the tasks to change: numbers, or a filter."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from todo_cli.cli.filter_args import join_filter
from todo_cli.cli.options import parse_numbers
from todo_cli.errors import Invalid

TASKS_HELP = "Task numbers (3 7-9 #12) or a filter (project:home @phone due<fri)."

TasksArgument = Annotated[list[str], typer.Argument(help=TASKS_HELP, metavar="N... | FILTER", show_default=False)]
TaskNumberArgument = Annotated[str, typer.Argument(help="Task number.", metavar="N")]

# Also matches malformed numbers: they are reported as such, and never taken for a word to search for.
_NUMBERS = re.compile(r"[#\d.,_-]*")


def parse_task_args(words: list[str]) -> dict[str, Any]:
    """Return the fields of a Request that name the tasks; raises Invalid for no words or malformed numbers."""
    if not any(word.strip() for word in words):
        raise Invalid("no tasks are named", hint="name task numbers or a filter that is not empty")
    if all(_NUMBERS.fullmatch(word) for word in words):
        return {"numbers": parse_numbers(words)}
    return {"filter": join_filter(words)}
