"""The pager: only on a terminal, only for what is taller than the screen, and never an error."""

from __future__ import annotations

import pytest

from tests.conftest import Todo
from tests.support.terminal import Terminal


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


@pytest.fixture
def long_list(todo: Todo) -> Todo:
    """Return the command of a person with twelve tasks, whose longest list is taller than ten rows."""
    todo("add", "-", stdin="".join(f"task {number}\n" for number in range(1, 13)))
    return todo


UPPER = "tr a-z A-Z"


@pytest.mark.parametrize(
    ("arguments", "rows", "env", "is_paged"),
    [
        (("list",), 10, {"TODO_PAGER": UPPER}, True),
        (("list",), 10, {"PAGER": UPPER}, True),
        (("log", "-n", "1"), 10, {"PAGER": UPPER}, True),
        (("list",), 10, {"TODO_PAGER": "cat", "PAGER": UPPER}, False),
        (("list",), 10, {"TODO_PAGER": ""}, False),
        (("list", "--no-pager"), 10, {"PAGER": UPPER}, False),
        (("list",), 10, {"PAGER": UPPER, "TERM": "dumb"}, False),
        (("list",), 40, {"PAGER": UPPER}, False),
        (("list", "--json"), 10, {"PAGER": UPPER}, False),
        (("list",), 10, {"PAGER": "no-such-pager"}, False),
    ],
)
def test_long_output_goes_through_the_pager(
    long_list: Todo, arguments: tuple[str, ...], rows: int, env: dict[str, str], is_paged: bool
) -> None:
    terminal = Terminal(long_list, *arguments, rows=rows, **env)
    terminal.ended(0)
    assert ("TASK 1" in terminal.text, "task 1" in terminal.text) == (is_paged, not is_paged)


def test_pager_that_ends_in_the_middle_is_no_error(long_list: Todo) -> None:
    terminal = Terminal(long_list, "list", rows=10, PAGER="head -n 2")
    terminal.ended(0)
    assert "task 1" in terminal.text, "below the heading"
    assert "task 2" not in terminal.text
    Terminal(long_list, "list", rows=10, PAGER="false").ended(0)


def test_pager_less_gets_the_options_that_git_gives_it(long_list: Todo) -> None:
    terminal = Terminal(long_list, "list", rows=10, PAGER='echo "LESS=$LESS"; cat >/dev/null')
    terminal.ended(0)
    assert "LESS=FRX" in terminal.text
    terminal = Terminal(long_list, "list", rows=10, PAGER='echo "LESS=$LESS"; cat >/dev/null', LESS="R")
    terminal.ended(0)
    assert "LESS=R\n" in terminal.text + "\n"


def test_pipe_gets_no_pager(long_list: Todo) -> None:
    assert "task 1" in long_list("list", env={"PAGER": UPPER, "LINES": "3"}).out
