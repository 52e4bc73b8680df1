"""In a pipe each command prints stable tab-separated columns (docs/commands.md), with the dates that JSON has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Todo

Row = list[str]
Object = dict[str, Any]


def task_cells(task: Object) -> Row:
    """Return the columns of a list of tasks."""
    priority = f"p{task['priority']}" if task["priority"] else ""
    place = [task["due"] or "", task["project"] or "", ",".join(task["tags"])]
    return [str(task["number"]), task["status"], priority, *place, task["title"]]


def change_cells(change: Object) -> Row:
    """Return the columns of the log, without the operation's name."""
    numbers = ",".join(str(difference["number"]) for difference in change["differences"])
    return [str(change["seq"]), change["at"], change["user"], change["token"], change["way"], numbers]


def count_cells(used: Object) -> Row:
    """Return the columns of tags and projects."""
    return [used["name"], *(str(used[name]) for name in ("tasks", "done", "overdue")), used["next_due"] or ""]


COLUMNS: dict[str, tuple[str, Callable[[Object], Row]]] = {
    "list": ("tasks", task_cells),
    "list --sort -due": ("tasks", task_cells),
    "next": ("tasks", task_cells),
    "upcoming": ("tasks", task_cells),
    "tags": ("used", count_cells),
    "projects": ("used", count_cells),
    "comment 1": ("comments", lambda comment: [comment["id"], comment["user"], comment["at"], comment["text"]]),
    "view list": (
        "views",
        lambda view: ["*" if view["default"] else "", view["name"], view["filter"], view["sort"] or ""],
    ),
    "log": ("changes", change_cells),
}


@pytest.fixture
def filled(todo: Todo) -> Todo:
    """A list with every kind of date, a comment, and a view."""
    todo("add", "--raw", "Tab\there", "--due", "2030-01-02 09:30", "--project", "home", "-p", "1")
    todo("add", "--raw", "Day", "--due", "tomorrow")
    todo("add", "--raw", "Plain", "--tag", "b", "--tag", "a")
    todo("comment", "1", "words")
    todo("view", "save", "mine", "#home")
    return todo


@pytest.mark.parametrize("command", COLUMNS)
def test_rows_in_a_pipe_have_the_documented_columns_and_the_dates_of_json(filled: Todo, command: str) -> None:
    listed, cells_of = COLUMNS[command]
    document = filled(*command.split(), "--json").json
    expected = [[cell.replace("\t", "\\x09") for cell in cells_of(value)] for value in document[listed]]
    rows = [line.split("\t") for line in filled(*command.split()).lines]
    if command == "log":
        rows = [[*row[:5], row[6]] for row in rows]
        expected = [[*row[:5], row[5] or rows[index][5]] for index, row in enumerate(expected)]
    assert rows == expected
    assert rows


def test_tokens_in_a_pipe_have_the_dates_of_json(filled: Todo) -> None:
    filled("token", "create", "--name", "cron", "--scopes", "read", "--expires", "90d")
    rows = {row[0]: row for row in (line.split("\t") for line in filled("token", "list").lines)}
    for token in filled("token", "list", "--json").json["tokens"]:
        row = rows[token["name"]]
        assert row[1] == ",".join(token["scopes"])
        assert row[3] == (token.get("expires_at") or "never")
