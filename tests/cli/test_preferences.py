"""Preferences as they show on a terminal, and `todo prefs` with the source of each."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Todo
from tests.support.terminal import Terminal


@pytest.fixture
def way() -> str:
    """Use HTTP only: what the preferences are is the same over both clients (tests/operations)."""
    return "api"


def show(todo: Todo, *arguments: str, **env: str) -> Terminal:
    """Return the terminal after the command has ended."""
    terminal = Terminal(todo, *arguments, **env)
    terminal.ended(0)
    return terminal


def test_prefs_lists_each_preference_with_its_source(todo: Todo) -> None:
    todo("view", "save", "soon", "due<=7d")
    assert todo("prefs", "--week-start", "sunday", "--view", "soon", "--pager", "off").lines == [
        "week-start\tsunday\tpreference",
        "pager\toff\tpreference",
        "view\t:soon\tpreference",
    ]
    env = {"TODO_TIMEZONE": "Asia/Tokyo", "NO_COLOR": "1", "TODO_PAGER": "most"}
    rows = dict(line.split("\t", 1) for line in todo("prefs", env=env).lines)
    assert rows["timezone"] == "Asia/Tokyo\tTODO_TIMEZONE"
    assert rows["theme"] == "none\tNO_COLOR"
    assert rows["pager"] == "most\tTODO_PAGER"
    assert rows["view"] == ":soon\tpreference"
    assert rows["sort"] == "due\tdefault"
    found = todo("prefs", "--json").json
    assert (found["pager"], found["sources"]["pager"], found["sources"]["dates"]) == ("off", "preference", "default")
    assert todo("prefs", "--pager", "default", "--view", "default").lines == ["pager\ton\tdefault", "view\t-\tdefault"]
    refused = todo("prefs", "--theme", "pink")
    assert (refused.code, "auto, dark, light, none, default" in refused.err) == (2, True)


def test_theme_and_signs_decide_how_a_list_looks(todo: Todo) -> None:
    todo("add", "Pay rent p1 #home due:yesterday every month")
    screens = {}
    for theme in ("auto", "dark", "light", "none"):
        todo("prefs", "--theme", theme)
        screens[theme] = show(todo, "list").raw
    assert "\x1b[1;31mp1" in screens["auto"]
    assert "\x1b[1;38;5;203mp1" in screens["dark"]
    assert "\x1b[1;38;5;160mp1" in screens["light"]
    assert "\x1b[" not in screens["none"]
    assert "\x1b[1;31mp1" in show(todo, "list", FORCE_COLOR="1").raw, "the environment wins"
    assert "\x1b[" not in show(todo, "list", NO_COLOR="1").raw
    assert "↻" in show(todo, "list").text
    todo("prefs", "--signs", "ascii")
    assert "↻" not in show(todo, "list").text


def test_absolute_dates_show_on_every_screen(todo: Todo) -> None:
    todo("prefs", "--dates", "absolute")
    added = todo("add", "Pay rent", "--due", "2030-01-02 09:00", "--defer", "2029-12-01").out
    assert "due 2030-01-02 09:00, deferred to 2029-12-01" in added
    todo("note", "1", "x")
    for arguments in (("list", "is:deferred"), ("show", "1"), ("search", "rent")):
        assert "2030-01-02 09:00" in show(todo, *arguments).text, arguments
    assert "ago" not in show(todo, "show", "1").text
    assert "just now" not in show(todo, "show", "1").text
    assert "Today" not in show(todo, "log").text
    todo("prefs", "--dates", "relative")
    assert "2 Jan 2030" in show(todo, "list", "is:deferred").text


@pytest.fixture
def plain_reader(todo: Todo) -> Todo:
    """A user who wants absolute dates and ASCII signs, and has moved a task from one day to another."""
    todo("prefs", "--dates", "absolute", "--signs", "ascii")
    todo("add", "Pay rent", "--due", "2030-01-02 09:00")
    todo("edit", "1", "--due", "2030-01-03")
    return todo


DIFFERENCE = "#1 Pay rent: due 2030-01-02 09:00 -> 2030-01-03"


def test_changes_show_absolute_dates_and_plain_signs(plain_reader: Todo) -> None:
    todo = plain_reader
    assert DIFFERENCE in show(todo, "log").text
    planned = todo("edit", "1", "--due", "2030-01-04", "--plan").out
    assert "due 2030-01-03 -> 2030-01-04" in planned
    back = "  #1 Pay rent: due 2030-01-03 -> 2030-01-02 09:00\n"
    assert todo("undo").out == f"Undid change 3:\n{back}"
    assert todo("redo").out == f"Redid change 4:\n  {DIFFERENCE}\n"


def test_comments_and_started_tasks_show_absolute_dates(plain_reader: Todo) -> None:
    todo = plain_reader
    todo("comment", "1", "paid half")
    [head, _] = show(todo, "comment", "1").text.strip().splitlines()
    assert re.fullmatch(r"\s*\S+, \d{4}-\d\d-\d\d \d\d:\d\d \(\w{6}\)", head), head
    assert re.search(r"started \d{4}-\d\d-\d\d \d\d:\d\d", todo("start", "1").out)


def test_pager_off_prints_long_output_at_once(todo: Todo) -> None:
    todo("add", "-", stdin="".join(f"task {number}\n" for number in range(1, 13)))
    terminal = Terminal(todo, "list", rows=10, PAGER="tr a-z A-Z")
    terminal.ended(0)
    assert "TASK 1" in terminal.text
    todo("prefs", "--pager", "off")
    terminal = Terminal(todo, "list", rows=10, PAGER="tr a-z A-Z")
    terminal.ended(0)
    assert "task 1" in terminal.text


def test_hints_off_leaves_them_out(todo: Todo) -> None:
    todo("add", "-", stdin="a\nb\n")
    todo("done", "1")
    assert "older changes: todo log --before 2" in show(todo, "log", "-n", "1").text
    assert todo("prefs", "--hints", "off").lines == ["hints\toff\tpreference"]
    assert "older changes" not in show(todo, "log", "-n", "1").text
    assert "older changes" not in todo("log", "-n", "1").err


def test_week_of_the_calendar_begins_with_the_preferred_day(todo: Todo) -> None:
    todo("prefs", "--week-start", "sunday")
    assert " Su Mo Tu We Th Fr Sa" in show(todo, "calendar").text


def test_confirmations_decide_when_a_terminal_asks(todo: Todo) -> None:
    todo("add", "-", "--project", "p", stdin="a\nb\nc\nd\n")
    todo("prefs", "--confirm", "always")
    terminal = Terminal(todo, "start", "1 #p")
    terminal.until("Change 1 task?")
    terminal.keys("n", "\r")
    terminal.ended(0)
    todo("prefs", "--confirm", "never")
    assert todo("rm", "#p").code == 10, "a script does not depend on a preference"
    assert "Deleted" in show(todo, "rm", "#p").text


def test_default_project_and_view_apply_to_add_and_list(todo: Todo) -> None:
    todo("prefs", "--project", "inbox")
    assert todo("add", "Call Ada", "--json").json["project"] == "inbox"
    for arguments in (("Pay rent", "--project", ""), ("Pay rent", "--project", "none"), ("Pay rent #none",)):
        assert todo("add", *arguments, "--json").json["project"] is None
    todo("view", "save", "in", "#inbox")
    todo("prefs", "--view", "in", "--sort", "-created")
    assert [line.split("\t")[0] for line in todo("list").lines] == ["1"]
    assert [line.split("\t")[0] for line in todo("list", "status:open").lines] == ["4", "3", "2", "1"]
