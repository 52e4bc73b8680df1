"""`todo diff`, `todo blame` and `todo log --diff` on a terminal and in a pipe."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.cli.test_log_and_show_screens import VIEW, make_change, make_difference
from tests.conftest import Todo
from tests.support.list_samples import NOW
from todo_cli.cli.commands.diff import split_range
from todo_cli.cli.render.blame import format_blame
from todo_cli.cli.render.changes import format_changes
from todo_cli.cli.render.colors import choose_paint
from todo_cli.cli.render.diff import format_differences
from todo_cli.contract.blame import BlamedField, TaskBlame
from todo_cli.contract.diff import DifferencePage, TaskDifference

PLAIN = choose_paint(colored=False)


@pytest.fixture
def way() -> str:
    """Use HTTP only: the output does not depend on the client."""
    return "api"


def test_diff_screen_has_a_sign_and_the_fields_of_each_task() -> None:
    differences = (
        TaskDifference(number=44, title="Rotate the backups", kind="added", fields={"due": (None, "2026-11-30")}),
        TaskDifference(number=7, title="Answer", kind="done", fields={"status": ("open", "done")}),
        TaskDifference(number=8, title="Short-lived \x1b[31m", kind="added", fields={"status": (None, "done")}),
        TaskDifference(number=12, title="Pay the bill", kind="changed", fields={"due": ("2026-11-25", "2026-11-30")}),
    )
    page = DifferencePage(since=NOW - timedelta(days=2), until=NOW, differences=differences)
    assert [PLAIN(line) for line in format_differences(page, VIEW, 80)] == [
        "Wed 2026-11-25 10:00 → Fri 2026-11-27 10:00",
        " + #44 Rotate the backups: added, due 30 Nov",
        " - #7 Answer: done",
        " + #8 Short-lived \\x1b[31m: added, done",
        " ~ #12 Pay the bill: due 25 Nov → 30 Nov",
    ]
    assert all(len(PLAIN(line)) <= 20 for line in list(format_differences(page, VIEW, 20))[1:])


def test_blame_screen_names_change_age_person_and_value() -> None:
    added = make_change(3, "AddTask", at=NOW - timedelta(days=3))
    edited = make_change(12, "EditTasks", at=NOW - timedelta(hours=2), user="bob", mine=False)
    fields = (
        BlamedField(name="title", value="Pay the bill", change=added),
        BlamedField(name="due", value="2026-11-30", change=edited),
    )
    answer = TaskBlame(number=12, title="Pay the bill", fields=fields)
    assert [PLAIN(line) for line in format_blame(answer, VIEW, 80)] == [
        "#12 Pay the bill",
        "  3  3d ago  you  title      Pay the bill",
        " 12  2h ago  bob  due        30 Nov",
    ]
    assert [PLAIN(line) for line in format_blame(answer, VIEW, 30)][1:3] == [
        "  3  3d ago  you",
        "    title Pay the bill",
    ]


def test_log_by_field_prints_old_and_new_values_below_each_other() -> None:
    change = make_change(4, "EditTasks", make_difference(12, "Pay", due=("2026-11-25", "2026-11-30"), tags=([], ["x"])))
    lines = [PLAIN(line) for line in format_changes([change], VIEW, 80, by_field=True)]
    assert lines[1:] == [
        " 4  10:00  you  edit  #12 Pay",
        "    due            - 25 Nov",
        "                   + 30 Nov",
        "    tags           - none",
        "                   + x",
    ]


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("monday..friday", ("monday", "friday")),
        ("monday...friday", ("monday", "friday")),
        ("monday..", ("monday", None)),
        ("monday", ("monday", None)),
        ("..friday", ("yesterday", "friday")),
        ("2026-11-01 09:00..now", ("2026-11-01 09:00", "now")),
    ],
)
def test_range_of_diff_has_two_ends(text: str, ends: tuple[str, str | None]) -> None:
    assert split_range(text) == ends


def test_commands_in_a_pipe_print_cells(todo: Todo) -> None:
    todo("add", "Pay rent #home")
    todo("edit", "1", "-p", "1")
    assert todo("diff").out.splitlines() == ["added\t1\tPay rent\tproject=none->home\tpriority=none->1"]
    assert todo("diff", "yesterday..now", "-#home").out == ""
    rows = [line.split("\t") for line in todo("blame", "1").out.splitlines()]
    assert [(row[0], row[1], row[6], row[7]) for row in rows] == [
        ("title", "1", "add", "Pay rent"),
        ("status", "1", "add", "open"),
        ("project", "1", "add", "home"),
        ("priority", "2", "edit", "1"),
    ]
    assert [change["seq"] for change in json.loads(todo("log", "#home", "p1", "--json").out)["changes"]] == [2, 1]
    assert todo("log", "--by", "nobody").code == 3
    assert todo("diff", "tomorrow..now").code == 2
