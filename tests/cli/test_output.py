"""Output: TSV in pipes, JSON, tables on a terminal."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import Todo
from tests.support.terminal_output import ESCAPES, run_on_terminal


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


def test_list_in_a_pipe_prints_tsv(todo: Todo) -> None:
    todo("add", "Pay rent", "--due", "2030-01-02 09:00", "--project", "#home", "-t", "b", "-t", "@a", "-p", "high")
    todo("add", "Bare")
    assert todo("list").lines == ["1\topen\tp1\t2030-01-02T08:00:00Z\thome\ta,b\tPay rent", "2\topen\t\t\t\t\tBare"]
    assert todo().out == todo("list").out, "todo without a command is todo list"
    shown = todo("show", "#1").lines
    assert shown[0] == "#1 Pay rent"
    fields = dict(line.split(maxsplit=1) for line in shown[1:])
    names = ("status", "priority", "project", "tags", "rev")
    assert [fields[name] for name in names] == ["open", "p1", "home", "a b", "1"]
    log = todo("log").lines
    assert [line.split("\t")[0] for line in log] == ["2", "1"]
    assert log[0].split("\t")[3:] == ["first", "api", "add", "2", ""]


def test_json_and_jsonl_print_valid_json(todo: Todo) -> None:
    made = todo("add", "a", "--tag", "x", "--json").json
    assert {"number", "id", "title", "status", "due", "project", "tags", "priority", "rev", "new"} <= made.keys()
    todo("add", "b")
    page = todo("list", "-n", "1", "--json").json
    assert ([task["title"] for task in page["tasks"]], page["next"] is None) == (["a"], False)
    rest = todo("list", "--json", "--cursor", page["next"]).json
    assert ([task["title"] for task in rest["tasks"]], rest["next"]) == (["b"], None)
    assert [json.loads(line)["number"] for line in todo("list", "--jsonl").lines] == [1, 2]
    assert [json.loads(line)["status"] for line in todo("done", "1-2", "--jsonl").lines] == ["done", "done"]
    assert todo("undo", "--json").json["new"] is True
    assert todo("log", "--json", "-n", "1").json["changes"][0]["verb"] == "Undo"
    both = todo("list", "--json", "--jsonl")
    assert (both.code, both.out) == (2, "")
    assert json.loads(both.err)["error"]["exit_code"] == 2


def test_list_of_more_than_one_page_mentions_the_rest_on_a_terminal_only(todo: Todo) -> None:
    todo("add", "-", stdin="a\nb\nc\n")
    page = todo("list", "-n", "2")
    assert (len(page.lines), page.err) == (2, "")
    todo("add", "later", "--defer", "2030-01-02")
    assert "2 of 3 shown · todo list --all · 1 deferred: todo list is:deferred" in run_on_terminal(
        todo, "list", "-n", "2"
    )
    assert "3 open · 1 deferred" in run_on_terminal(todo, "list")
    assert "1 of 3 shown · todo next 2" in run_on_terminal(todo, "next", "1")
    assert "shown" not in run_on_terminal(todo, "list", "-n", "2", "--json")
    cursor = todo("list", "-n", "2", "--json").json["next"]
    assert todo("list", "--cursor", cursor).lines == ["3\topen\t\t\t\t\tc"]
    assert len(todo("list", "--all").lines) == 3


@pytest.mark.parametrize("columns", [80, 200])
def test_list_on_a_terminal_fits_its_width(todo: Todo, columns: int) -> None:
    todo(
        "add",
        "A long title that has to give way " * 8,
        "--due",
        "2030-01-02",
        "--project",
        "project-with-a-long-name-too",
        "-t",
        "t" * 30,
        "-p",
        "2",
    )
    todo("add", "漢字 " * 30)
    shown = run_on_terminal(todo, "list", "--wrap", columns=columns)
    plain = ESCAPES.sub("", shown)
    widths = [len(line) + sum("\u2e80" < c < "\ua000" for c in line) for line in plain.splitlines()]
    assert max(widths) <= columns
    assert "p2" in plain
    assert "".join(plain.split()).count("漢") == 30, "nothing is cut off"
    assert "\t" not in plain


def test_list_colours_obey_the_terminal_and_the_settings(todo: Todo) -> None:
    todo("add", "late", "--due", "2020-01-02")
    todo("add", "coming", "--due", "2030-01-02")
    shown = run_on_terminal(todo, "list")
    late, coming = (next(line for line in shown.splitlines() if word in line) for word in ("late", "coming"))
    assert re.search(r"\x1b\[1;31m[^\x1b]*2020", late), "overdue is red"
    assert "31m" not in coming
    for wanted in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}):
        assert not re.search(r"\x1b\[[0-9;]*3\dm", run_on_terminal(todo, "list", env=wanted)), wanted
    assert not re.search(r"\x1b\[[0-9;]*3\dm", run_on_terminal(todo, "list", "--no-color"))
    assert "\x1b" not in todo("list").out, "a pipe gets no colours"
    assert "\x1b" not in todo("list", env={"CLICOLOR_FORCE": "1"}).out, "TSV gets no colours"


EMPTY = {
    "list": "Nothing is open. Add something with: todo add",
    "list @nowhere": "Nothing matches '@nowhere'.",
    "list --project nowhere": "No task matches.",
    "today": "Nothing is due today.",
    "next": "Nothing is open.",
    "tags": "No tags in use.",
    "projects": "No projects in use.",
    "view list": "No views yet.",
    "log": "No changes yet.",
    "chat list": "No conversations yet.",
    "chat list --deleted": "The trash is empty.",
    "chat usage": "No tokens used.",
}


def test_empty_lists_print_a_sentence_on_a_terminal_only(todo: Todo) -> None:
    for line, sentence in EMPTY.items():
        assert sentence in run_on_terminal(todo, *line.split()), line
        piped = todo(*line.split())
        assert (piped.code, piped.out, piped.err) == (0, "", ""), line


def test_list_of_a_view_commands_name_hints_at_the_command(todo: Todo) -> None:
    assert "run: todo today" in run_on_terminal(todo, "list", "today")
    assert todo("list", "today").err == ""
