"""Control characters are escaped; what a terminal and a pipe are shown."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Todo
from tests.support.terminal_output import ACTING, ESCAPES, NASTY, SHOWN, run_on_terminal
from todo_cli.cli.render.cells import measure
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import wrap


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


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("   5  edit    #13 東京: due none → 30 Nov", ["   5  edit    #13 東京: due", "     none → 30 Nov"]),
        (
            "  \x1b[32m✓\x1b[0m Added #12 one two three four",
            ["  \x1b[32m✓\x1b[0m Added #12 one two three", "     four"],
        ),
    ],
)
def test_wrap_of_a_wide_or_colored_line_counts_cells_and_keeps_blanks(
    monkeypatch: pytest.MonkeyPatch, line: str, lines: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "28")
    assert wrap(line, " " * 5).split("\n") == lines
