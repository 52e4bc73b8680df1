"""The tasks that a command is to change: numbers, or a filter."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from todo_cli.cli.filter_args import join_filter
from todo_cli.cli.options import parse_numbers
from todo_cli.errors import Invalid

TasksArgument = Annotated[
    list[str],
    typer.Argument(
        help="Task numbers: 3 7-9 #12; or a filter: project:home @phone due<fri", metavar="N... | FILTER",
        show_default=False,
    ),
]  # fmt: skip

# also what was meant for one: it is told as such, and is no word to look for
_NUMBERS = re.compile(r"[#\d.,_-]*")


def parse_task_args(words: list[str]) -> dict[str, Any]:
    """What was said as a Request's fields; raises Invalid where that is nothing, or no number."""
    if not any(word.strip() for word in words):
        raise Invalid("no task is named", hint="name tasks by numbers, or by a filter that is not empty")
    if all(_NUMBERS.fullmatch(word) for word in words):
        return {"numbers": parse_numbers(words)}
    return {"filter": join_filter(words)}
