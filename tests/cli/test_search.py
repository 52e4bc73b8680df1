"""The commands search, note and comment: TSV in a pipe, highlighted matches on a terminal."""

from __future__ import annotations

import json
import re

import pytest

from tests.conftest import Todo
from tests.support.terminal_output import ACTING, ESCAPES, NASTY, SHOWN, run_on_terminal


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


def test_search_in_a_pipe_prints_tsv(todo: Todo) -> None:
    todo("add", "Pay rent", "--due", "2030-01-02", "--project", "home")
    todo("add", "Parent evening")
    todo("add", "Buy milk", "--note", "after paying the\nrent, 2 l")
    assert todo("search", "rent").lines == [
        "1\topen\t\t2030-01-02\thome\t\tPay rent",
        "3\topen\t\t\t\t\tBuy milk",
        "2\topen\t\t\t\t\tParent evening",
    ]
    assert [line.split("\t")[0] for line in todo("search", "pya", "rent", "-n", "1").lines] == ["1"]
    page = todo("search", "milk rent", "--json").json
    assert [(one["where"], one["parts"]) for one in page["hits"][0]["snippets"]] == [
        ("title", [[4, 8]]),
        ("note", [[17, 21]]),
    ]
    assert [json.loads(line)["task"]["number"] for line in todo("search", "rent", "--jsonl").lines] == [1, 3, 2]
    todo("done", "1")
    assert [line.split("\t")[0] for line in todo("search", "rent", "--status", "done").lines] == ["1"]


def test_search_on_a_terminal_highlights_matches_unless_colour_is_off(todo: Todo) -> None:
    todo("add", "Pay the rent", "--note", "call the landlord about the rent")
    shown = run_on_terminal(todo, "search", "rnet")
    assert len(re.findall(r"\x1b\[1;7m[^\x1b]*rent", shown.replace("\x1b[1;7;", "\x1b[1;7m"))) == 2, shown
    assert " ".join(ESCAPES.sub("", shown).split()) == "1 Pay the rent note: call the landlord about the rent"
    for wanted in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\x1b[1" not in run_on_terminal(todo, "search", "rent", env=wanted)
    assert "\x1b" not in todo("search", "rent", env={"CLICOLOR_FORCE": "1"}).out


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_search_on_a_terminal_fits_its_width(todo: Todo, columns: int) -> None:
    todo("add", "A rent of a long title " * 10, "--note", "rent " * 100, "--project", "p" * 40)
    plain = ESCAPES.sub("", run_on_terminal(todo, "search", "rent", columns=columns))
    assert max(map(len, plain.splitlines())) <= columns
    assert "".join(plain.split()).count("Arent") == 10


def test_search_without_matches_prints_a_hint_on_a_terminal_only(todo: Todo) -> None:
    assert "--status all" in run_on_terminal(todo, "search", "unicorn")
    assert "fewer words" in run_on_terminal(todo, "search", "unicorn", "--status", "all")
    todo("add", "Iron shirts")
    todo("done", "1")
    assert "No open tasks match, but 1 done match" in run_on_terminal(todo, "search", "ironing")
    assert "no letters" in run_on_terminal(todo, "search", "?!")
    empty = todo("search", "unicorn")
    assert (empty.code, empty.out, empty.err) == (0, "", "")


def test_search_output_escapes_control_characters(todo: Todo) -> None:
    todo("add", f"rent {NASTY}", "--note", f"rent {NASTY}")
    todo("comment", "1", f"rent {NASTY}")
    for found in (todo("search", "rent").out, todo("show", "1").out, todo("comment", "1").out, todo("note", "1").out):
        assert SHOWN in found
        assert not ACTING.search(found.replace("\t", " "))
    terminal = run_on_terminal(todo, "search", "rent", columns=200)
    assert not ACTING.search(ESCAPES.sub("", terminal))
    assert "]0;title\x07" not in terminal


def test_search_with_bad_input_is_refused(todo: Todo) -> None:
    for words, sentence in ((" ", "the search is blank"), ("x" * 10_001, "10,000")):
        failed = todo("search", words)
        assert (failed.code, failed.out, sentence in failed.err) == (2, "", True)


def test_comment_adds_lists_edits_and_removes(todo: Todo) -> None:
    todo("add", "x")
    assert todo("comment", "1", "first", "words").lines == ["Commented on #1"]
    assert todo("comment", "#1", "-", stdin="two\nlines\n").code == 0
    made = todo("comment", "1", "third", "--key", "k", "--json").json
    assert todo("comment", "1", "third", "--key", "k", "--json").json == made
    listed = [line.split("\t") for line in todo("comment", "1").lines]
    assert [cells[3] for cells in listed] == ["first words", "two\\x0alines", "third"]
    assert todo("comment", "1", "--edit", made["id"][-6:], "fourth").lines == [
        f"Changed comment {made['id'][-6:]} of #1"
    ]
    shown = todo("show", "1")
    assert [line.strip() for line in shown.lines if line.startswith("    ")] == [
        "first words",
        "two",
        "lines",
        "fourth",
    ]
    assert [one["text"] for one in todo("show", "1", "--json").json["comments"]] == [
        "first words",
        "two\nlines",
        "fourth",
    ]
    assert todo("comment", "1", "--rm", made["id"]).lines == [f"Removed comment {made['id'][-6:]} of #1"]
    assert len(todo("comment", "1", "--jsonl").lines) == 2
    assert todo("log", "-n", "1").lines[0].split("\t")[5:7] == ["comment --rm", "#1"]


def test_note_writes_appends_and_prints(todo: Todo) -> None:
    todo("add", "x")
    assert (todo("note", "1").out, todo("note", "1").err) == ("", "")
    assert todo("note", "1", "ask", "first").lines == ["Changed #1 x"]
    assert todo("note", "1", "--append", "-", stdin="more\nlines\n").code == 0
    assert todo("note", "1").lines == ["ask first", "more", "lines"]
    assert todo("note", "1", "new", "--key", "k", "--json").json["tasks"][0]["note"] == "new"
    assert todo("note", "1", "old", "--if-rev", "1").code == 6
    assert todo("note", "1").lines == ["new"]


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (("comment", "1", " "), ""),
        (("comment", "1", "-"), ""),
        (("comment", "1", "-"), b"\xff"),
        (("comment", "1", "x" * 20_001), ""),
        (("comment", "1", "--rm", "abcdef"), ""),
        (("comment", "1", "--rm", "a"), ""),
        (("comment", "1", "--rm", "a", "--edit", "b"), ""),
        (("comment", "x", "y"), ""),
        (("note", "1", "-"), ""),
        (("note", "1", "--append"), ""),
        (("note", "1", "-"), "x" * 100_001),
        (("note", "1", "x", "--append", "--key", "k"), ""),
    ],
)
def test_comment_and_note_with_bad_input_are_refused(
    todo: Todo, arguments: tuple[str, ...], stdin: str | bytes
) -> None:
    todo("add", "x")
    failed = todo(*arguments, stdin=stdin)
    assert (failed.code, failed.out, len(failed.err.splitlines())) == (2, "", 1), failed
    assert (todo("show", "1", "--json").json["rev"], todo("comment", "1").out) == (1, "")
