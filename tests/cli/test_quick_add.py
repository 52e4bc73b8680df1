"""Quick add at the command line: near misses, line numbers, and `edit` with the words of `add`."""

from __future__ import annotations

import pytest

from tests.conftest import Todo


@pytest.mark.parametrize(
    ("title", "line"),
    [
        ("Call tonite", 'not read as a date: "tonite"\n'),
        ("Watch Friday the 13th", 'not read as a date: "Friday the 13th"\n'),
        ("Pay the bill 2026-11-31", 'not read as a date: "2026-11-31"\n'),
        ("Call tommorow or wensday", 'not read as a date: "tommorow", "wensday"\n'),
        ("Buy milk", ""),
        ("Buy sundae", ""),
        ("Buy milk tomorrow", ""),
    ],
)
def test_add_near_miss_of_a_date_is_reported_once(todo: Todo, title: str, line: str) -> None:
    assert todo("add", title).err == line
    assert todo("add", title, "--json").err == line
    assert todo("add", title, "--raw").err == ""


def test_add_lines_bad_value_behind_a_key_names_the_line(todo: Todo) -> None:
    result = todo("add", "-", stdin="Fine\n\n\nFix due:blub\n")
    assert result.code == 2
    assert result.err.startswith("todo: line 4: 'blub' is not a date: ")
    assert todo("list").out == ""


def test_add_lines_near_miss_is_reported_with_the_number_of_its_line(todo: Todo) -> None:
    lines = "Buy milk\n\nCall tonite\nPay tomorrow\nFix it 2026-11-31\n"
    report = 'line 3: not read as a date: "tonite"\nline 5: not read as a date: "2026-11-31"\n'
    assert todo("add", "-", stdin=lines).err == report
    assert todo("add", "-", "--raw", stdin=lines).err == ""
    many = todo("add", "-", stdin="Call tonite\n" * 30).err.splitlines()
    assert (len(many), many[-1]) == (21, "more lines have words that were not read as a date")


def test_edit_words_behind_numbers_set_fields_as_in_add(todo: Todo) -> None:
    todo("add", "Pay rent", "--due", "2030-01-02", "-p", "1")
    todo("add", "Call mom")
    assert todo("edit", "1-2", "due:2030-03-04", "#home", "+phone", "p4").code == 0
    assert todo("list").out == (
        "1\topen\t\t2030-03-04\thome\tphone\tPay rent\n2\topen\t\t2030-03-04\thome\tphone\tCall mom\n"
    )
    assert todo("edit", "1", "due:none").code == 0
    assert todo("edit", "2", "due:2030-05-06", "--due", "none").code == 0
    assert todo("list").out == "1\topen\t\t\thome\tphone\tPay rent\n2\topen\t\t\thome\tphone\tCall mom\n"


def test_edit_words_that_are_no_field_are_refused(todo: Todo) -> None:
    todo("add", "Pay rent")
    result = todo("edit", "1", "#home", "soon")
    assert result.code == 2
    assert "'soon' is not a field" in result.err
    assert "--title" in result.err
    assert todo("list").out == "1\topen\t\t\t\t\tPay rent\n"


def test_defer_beyond_the_due_date_warns(todo: Todo) -> None:
    warning = "warning: #1 is deferred until after its due date\n"
    assert todo("add", "Pay rent", "--due", "2030-01-02", "--defer", "2030-01-03").err == warning
    assert todo("defer", "1", "2030-01-02").err == ""
    assert todo("defer", "1", "2030-02-01").err == warning
    assert todo("edit", "1", "--due", "2030-03-01 09:00").err == ""
    assert todo("edit", "1", "--defer", "2030-03-01 10:00").err == warning
    assert todo("done", "1").err == ""


def test_recurrence_in_another_zone_names_it(todo: Todo) -> None:
    added = todo("add", "Standup every day at 9am EST")
    assert "every day at 09:00 EST" in added.out
    assert "every day at 09:00 EST (occurrence 1)" in todo("show", "1").out
    assert todo("show", "1", "--json").json["repeat"]["zone"] == "Etc/GMT+5"
    assert todo("add", "Gym every day at 9am").out.endswith("every day at 09:00)\n"), "the user's own zone is not named"


def test_edit_words_with_remind_replace_and_clear_the_reminders(todo: Todo) -> None:
    todo("add", "Pay rent", "--due", "2030-01-02 18:00")
    shown = todo("edit", "1", "remind:1h", "--jq", ".tasks[0].remind").out
    assert shown == todo("edit", "1", "--remind", "1h before", "--jq", ".tasks[0].remind").out
    assert '"seconds": 3600' in shown
    assert todo("edit", "1", "remind:none", "--jq", ".tasks[0].remind").out.strip() in ("null", "[]")
