"""Output: TSV in pipes, JSON, tables on a terminal; control characters are always escaped."""

from __future__ import annotations

import json
import re

import pexpect
import pytest

from tests.conftest import Todo
from todo_cli.cli.render.cells import measure
from todo_cli.cli.render.escape import escape

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NASTY = "[bold red]x[/] \x1b[31mred\x1b]0;title\x07 \u202egnp.exe \x9b5m \u2066i\u2069 \x7f"
SHOWN = r"[bold red]x[/] \x1b[31mred\x1b]0;title\x07 \u202egnp.exe \x9b5m \u2066i\u2069 \x7f"
ACTING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


def run_on_terminal(todo: Todo, *arguments: str, columns: int = 80, env: dict[str, str] | None = None) -> str:
    """Return the output of a command on a terminal of this width."""
    child = todo.spawn(*arguments, rows=40, columns=columns, env={"TERM": "xterm-256color", **(env or {})})
    child.expect(pexpect.EOF)
    child.close()
    return str(child.before).replace("\r\n", "\n")


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


def test_control_characters_in_output_are_escaped(todo: Todo) -> None:
    made = todo("add", NASTY, "--project", NASTY, "--note", NASTY + "\nsecond line")
    outputs = [
        made.out,
        todo("list").out,
        todo("show", "1").out,
        todo("edit", "1", "--title", NASTY + "!").out,
        todo("undo").out,
        todo("redo").out,
        todo("done", "1").out,
        todo("token", "create", "--name", NASTY).err,
        todo("token", "list").out,
    ]
    outputs.append(run_on_terminal(todo, "log", "--no-color", columns=500))
    for text in outputs:
        assert SHOWN in text
        assert not ACTING.search(text)
    assert "second line" in outputs[2].splitlines()[-1]
    assert todo("log", "1").lines[0].split("\t")[5] == "done"
    terminal = run_on_terminal(todo, "list", "--status", "all", "--no-color", columns=200, env={"NO_COLOR": "1"})
    assert "[bold red]x[/]" in terminal
    assert not ACTING.search(ESCAPES.sub("", terminal))
    assert "]0;title\x07" not in terminal
    assert todo("show", "1", "--json").json["title"].rstrip("!") == NASTY, "programs get the original text"


def test_control_characters_in_errors_are_escaped(todo: Todo) -> None:
    for arguments in (
        ("token", "revoke", NASTY),
        ("show", NASTY),
        ("list", "--due", NASTY),
        (NASTY,),
        ("list", f"--{NASTY}"),
        ("add", "a", "-p", NASTY),
        ("space", "use", NASTY),
        ("--profile", NASTY, "list"),
    ):
        failed = todo(*arguments)
        assert failed.code in (2, 3), arguments
        assert not ACTING.search(failed.err), arguments
        assert len(failed.err.splitlines()) == 1, arguments
        assert "Traceback" not in failed.err


def test_errors_on_a_terminal_break_between_words_only(todo: Todo) -> None:
    plain = todo("edit", "1", "--clear", "colour")
    [line] = plain.err.splitlines()
    lines = run_on_terminal(todo, "edit", "1", "--clear", "colour").splitlines()
    assert len(lines) > 1
    assert max(map(len, lines)) < 80
    assert " ".join(lines).split() == line.split()


def test_control_characters_in_json_are_escaped(todo: Todo) -> None:
    """People may print a JSON document on a terminal: C0, C1, DEL and direction marks must not act there."""
    title = NASTY + " \u061c \u200e end"
    assert todo("add", "--raw", title).code == 0
    for arguments in (("list", "--json"), ("list", "--jsonl"), ("show", "1", "--json"), ("log", "--json")):
        shown = todo(*arguments)
        assert not ACTING.search(shown.out), arguments
    assert todo("show", "1", "--json").json["title"] == title, "programs get the original text"
    refused = todo("show", "\u202e\x9b", "--json")
    assert not ACTING.search(refused.err)
    assert json.loads(refused.err)["error"]["exit_code"] == 2


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("a\u2060b\ufeffc\u00add", r"a\u2060b\ufeffc\xadd"),
        ("filler \u3164 \u115f", r"filler \u3164 \u115f"),
        ("tags \U000e0041\U000e007f", r"tags \U000e0041\U000e007f"),
        ("join\u200ded \u200c", r"join\u200ded \u200c"),
        ("👩\u200d👧 می\u200cخواهم ❤\ufe0f", "👩\u200d👧 می\u200cخواهم ❤\ufe0f"),
    ],
)
def test_escape_makes_zero_width_characters_visible(title: str, shown: str) -> None:
    assert escape(title) == shown


@pytest.mark.parametrize(
    "title", ["Ask the agency in Kyoto for a quotation", "Frage in 東京 nach dem überarbeiteten Angebot"]
)
def test_answers_of_writes_on_a_terminal_break_between_words(todo: Todo, title: str) -> None:
    [plain] = todo("add", title, "--project", "travel.japan.2027").lines
    lines = run_on_terminal(todo, "add", title, "--project", "travel.japan.2027", columns=40).splitlines()
    assert len(lines) > 1
    assert max(measure(line) for line in lines) < 40
    assert " ".join(lines).split() == plain.replace("#1", "#2").split()


def test_hints_on_a_terminal_break_between_words(todo: Todo) -> None:
    [sentence] = [line.strip() for line in run_on_terminal(todo, "projects", columns=200).splitlines() if line]
    lines = run_on_terminal(todo, "projects", columns=40).splitlines()
    assert len(lines) > 1
    assert " ".join(lines).split() == sentence.split()


def test_list_width_comes_from_columns_if_set(todo: Todo) -> None:
    todo("add", "word " * 60)
    widest = max(
        len(line)
        for line in ESCAPES.sub("", run_on_terminal(todo, "list", columns=200, env={"COLUMNS": "60"})).splitlines()
    )
    assert widest <= 60


def test_format_due_without_a_year_names_one_date() -> None:
    from datetime import UTC, datetime, timedelta

    from todo_cli.cli.render.text import format_due

    now = datetime(2026, 11, 23, tzinfo=UTC)
    shown = [format_due(f"{now + timedelta(days=days):%Y-%m-%d}", UTC, now) for days in range(-800, 800)]
    assert len(shown) == len(set(shown))
    assert format_due("2026-03-29", UTC, now) == "29 Mar 2026"
    assert format_due("2027-03-28", UTC, now) == "28 Mar"


def test_filter_mistake_on_a_terminal_points_at_its_place(todo: Todo) -> None:
    shown = run_on_terminal(todo, "list", "#büro (prioriy:1)").replace("\r\n", "\n")
    assert shown.splitlines()[-2:] == ["  #büro (prioriy:1)", "         ^^^^^^^^^"]
    assert "^" not in todo("list", "prioriy:1").err
    problem = json.loads(todo("list", "prioriy:1", "--json").err)["error"]
    assert (problem["filter"], problem["position"]) == ("prioriy:1", 1)
