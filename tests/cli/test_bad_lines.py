"""`todo add -`: refused lines, the limit, and lines of todo.txt."""

from __future__ import annotations

import pytest

from tests.conftest import Todo
from todo_cli.cli.add_lines import read_lines
from todo_cli.contract.limits import MAX_STDIN_LINES
from todo_cli.errors import Invalid


def test_add_lines_with_one_bad_line_adds_nothing(todo: Todo) -> None:
    failed = todo("add", "-", stdin="fine\n" * 1_000 + "x" * 1_001 + "\n")
    assert (failed.code, failed.err) == (2, "todo: line 1001 is longer than 1,000 characters (nothing was added)\n")
    assert todo("log").out == ""


def test_add_lines_without_lines_is_refused(todo: Todo) -> None:
    for data in (b"", b"\n \n\t\r\n", b"\xef\xbb\xbf"):
        failed = todo("add", "-", stdin=data)
        assert failed.code == 2, data
        assert "stdin has no tasks to add" in failed.err


def test_add_lines_of_a_short_input_prints_every_task(todo: Todo) -> None:
    assert todo("add", "-", stdin="a\n\nb").out == "Added #1 a\nAdded #2 b\n"
    made = todo("add", "-", "--json", stdin="c").json
    assert [task["number"] for task in made["tasks"]] == [3]
    assert made["new"] is True
    assert len(todo("add", "-", "--jsonl", stdin="d\ne").lines) == 2


def test_read_lines_beyond_the_limit_raises_invalid() -> None:
    assert len(read_lines(b"x\n" * MAX_STDIN_LINES)) == MAX_STDIN_LINES
    with pytest.raises(Invalid, match="more than 100,000 lines"):
        read_lines(b"x\n" * (MAX_STDIN_LINES + 1))


def test_read_lines_with_unusual_line_ends_reads_or_refuses_them() -> None:
    assert read_lines("\ufeffa\r\n\r\n  b\t\nc".encode()) == {1: "a", 3: "b", 4: "c"}
    assert read_lines("x\u200b\n\ufeffy".encode()) == {1: "x\u200b", 2: "\ufeffy"}, (
        "only a mark at the beginning is a byte order mark"
    )
    for inside in ("\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\r"):
        with pytest.raises(Invalid, match="line 2 contains a line break"):
            read_lines(f"fine\na{inside}b\n".encode())


@pytest.mark.long
def test_add_lines_of_100000_lines_stays_within_time_and_memory(todo: Todo) -> None:
    assert todo("add", "-", stdin="x\n" * MAX_STDIN_LINES, timeout=600).out == "Added 100,000 tasks: #1 to #100000\n"
    assert todo("undo", timeout=600, env={"TODO_TIMEOUT": "600"}).code == 0
    assert todo("list").out == ""


def test_add_lines_of_todo_txt_reads_its_fields_beside_quick_add(todo: Todo) -> None:
    lines = (
        "(A) 2026-11-02 Schedule the pickup +GarageSale @phone",
        "2026-11-02 Post signs +GarageSale due:2026-12-05 t:2026-12-01",
        "x 2026-11-05 2026-11-01 Review the pull request +TodoTxt @github pri:B",
        "x Take the bottles back",
        "Water the ferns due:2026-12-01 rec:1w",
        "Buy bread due:2030-01-02 #home",
    )
    made = todo("add", "-", "--json", stdin="\n".join(lines)).json["tasks"]
    names = ("title", "status", "priority", "project", "tags", "due", "defer")
    assert [tuple(task[name] for name in names) for task in made] == [
        ("Schedule the pickup", "open", 1, "GarageSale", ["phone"], None, None),
        ("Post signs", "open", None, "GarageSale", [], "2026-12-05", "2026-12-01"),
        ("Review the pull request", "done", 2, "TodoTxt", ["github"], None, None),
        ("Take the bottles back", "done", None, None, [], None, None),
        ("Water the ferns", "open", None, None, [], "2026-12-01", None),
        ("Buy bread", "open", None, "home", [], "2030-01-02", None),
    ]
    # Berlin is an hour ahead of UTC in November
    assert [made[place]["created_at"] for place in (0, 1, 2)] == [
        "2026-11-01T23:00:00Z",
        "2026-11-01T23:00:00Z",
        "2026-10-31T23:00:00Z",
    ]
    assert made[2]["completed_at"] == "2026-11-04T23:00:00Z"
    assert made[3]["completed_at"] == made[3]["created_at"] == made[5]["created_at"]
    assert (made[4]["repeat"]["rule"], made[4]["repeat"]["from_done"]) == ("FREQ=WEEKLY", True)
    assert len(todo("log").lines) == 1, "all of it is one change"
    assert todo("undo").code == 0
    assert len(todo("list", "--status", "deleted").lines) == 6
    assert len(todo("redo").lines) == 7
    assert len(todo("list", "--status", "done").lines) == 2


def test_add_lines_of_todo_txt_with_options_or_raw_follows_the_options(todo: Todo) -> None:
    line = "(A) 2026-11-02 Call mom +Family @phone due:2026-12-05"
    given = todo("add", "-", "--project", "inbox", "-t", "new", "-p", "2", "--due", "2030-01-01", "--json", stdin=line)
    [task] = given.json["tasks"]
    assert (task["project"], task["tags"], task["priority"], task["due"]) == (
        "inbox",
        ["new", "phone"],
        2,
        "2030-01-01",
    )
    [raw] = todo("add", "-", "--raw", "--json", stdin=line).json["tasks"]
    assert (raw["title"], raw["priority"], raw["due"]) == (line, None, None)


def test_add_lines_of_todo_txt_with_a_bad_date_names_the_line(todo: Todo) -> None:
    refused = todo("add", "-", stdin="fine\n\n(B) Fix the bike due:blub\n")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("todo: line 3: ")
    assert "blub" in refused.err
    assert todo("list").out == ""


@pytest.mark.parametrize(
    "text",
    [
        '[{"title": "a"}]',
        '{"title": "a"}\n{"title": "b"}\n',
        '[\n  {"title": "a"}\n]\n',
        '{\n"tasks": []}',
        '["a", "b"]',
        "[]",
    ],
)
def test_add_lines_of_json_is_refused(todo: Todo, text: str) -> None:
    refused = todo("add", "-", stdin=text)
    assert (refused.code, refused.out) == (2, "")
    assert "stdin is JSON" in refused.err
    assert "--raw" in refused.err
    assert todo("list").out == ""


def test_add_lines_beginning_with_brackets_are_titles(todo: Todo) -> None:
    assert todo("add", "-", stdin="[1] first\n[ ] second\n{x}\n").out.count("Added") == 3


def test_add_lines_with_a_line_of_todo_txt_reads_plus_as_project_in_every_line(todo: Todo) -> None:
    lines = ("Post signs +GarageSale @phone", 'Say "+one +two" +Party due:2030-01-02', "Buy +1 adapter")
    plain = todo("add", "-", "--json", stdin="\n".join(lines)).json["tasks"]
    assert [(task["project"], task["tags"]) for task in plain] == [
        (None, ["GarageSale", "phone"]),
        (None, ["Party"]),
        (None, []),
    ]
    made = todo("add", "-", "--json", stdin="\n".join((*lines, "(A) Call mom +Family"))).json["tasks"]
    assert [(task["title"], task["project"], task["tags"], task["due"]) for task in made] == [
        ("Post signs", "GarageSale", ["phone"], None),
        ("Say +one +two", "Party", [], "2030-01-02"),
        ("Buy +1 adapter", None, [], None),
        ("Call mom", "Family", [], None),
    ]
