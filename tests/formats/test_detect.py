"""No file of one format is taken for another, whatever its tasks are called."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.format_files import make_exported, write_file
from tests.support.samples import NOW, ZONE
from todo_cli.errors import Invalid
from todo_cli.formats.detect import MODULES, detect_format
from todo_cli.formats.records import ReadOptions

LOOKALIKES = (
    "- [ ] A box", "1. [x] Another box", "# Heading", "(A) 2026-11-02 Call +Home @phone due:2026-12-04", "x 2026-11-02 Done",
    "BEGIN:VCALENDAR", "BEGIN:VTODO", '{"_type":"issue","id":"a-1"}', '{"_type":"task"}', '{"_type":"todo","version":1}',
    '{"uuid":"1","description":"a","status":"pending"}', '[{"parent_project_id":0,"tasks":[]}]', '{"results":[', "TYPE,CONTENT",
    '{"content":"a","projectId":"b"}', "title,due,project", "title;due;project", "a\tb\tc", "percent_done: 1", "PK",
)  # fmt: skip  # a list of texts
TITLE = st.one_of(
    st.sampled_from(LOOKALIKES), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)
)
TITLES = st.lists(TITLE.map(str.strip).filter(bool), min_size=1, max_size=4)
NAMES = st.sampled_from(["stdin", "export.json", "export.jsonl", "tasks.txt", "tasks.csv", "list.md", "tasks.ics"])


def write_tasks(name: str) -> Callable[[list[str]], str]:
    def write(titles: list[str]) -> str:
        tasks = [make_exported(number, title=title, note="\n".join(titles)) for number, title in enumerate(titles, 1)]
        return write_file(name, tasks)[0]

    return write


def write_td(titles: list[str]) -> str:
    tasks = [{"id": "6X1", "content": title, "description": title, "projectId": "6P1"} for title in titles]
    return json.dumps({"results": tasks, "nextCursor": None}, indent=2)


def write_td_lines(titles: list[str]) -> str:
    return "".join(json.dumps({"id": "6X1", "content": title, "projectId": "6P1"}) + "\n" for title in titles)


def write_todoist(titles: list[str]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([["TYPE", "CONTENT", "PRIORITY"], *(["task", title, "4"] for title in titles)])
    return file.getvalue()


def write_vikunja(titles: list[str]) -> str:
    tasks = [{"id": 1, "title": title, "description": title, "done": False} for title in titles]
    return json.dumps([{"id": 1, "title": titles[0], "parent_project_id": 0, "tasks": tasks}])


WRITERS = [
    *((name, write_tasks(name)) for name in ("jsonl", "taskwarrior", "csv", "icalendar", "markdown", "beads")),
    ("td", write_td),
    ("td", write_td_lines),
    ("todoist-csv", write_todoist),
    ("vikunja", write_vikunja),
]


def detect(text: str, name: str) -> str:
    """Return the name of the format that is detected."""
    format = detect_format(io.BytesIO(text.encode()), ReadOptions(zone=ZONE, now=NOW, name=name))
    return format.NAME if format else ""


@pytest.mark.parametrize(("format", "write"), WRITERS)
@settings(max_examples=40, deadline=None)
@given(titles=TITLES, name=NAMES)
def test_detect_of_a_format_with_any_titles_finds_the_format(
    format: str, write: Callable[[list[str]], str], titles: list[str], name: str
) -> None:
    assert detect(write(titles), name) == format


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=200) | st.lists(st.sampled_from(LOOKALIKES), max_size=3).map("\n".join), name=NAMES)
def test_detect_of_any_text_finds_a_format_or_refuses_the_file(text: str, name: str) -> None:
    try:
        found = detect(text.encode(errors="replace").decode(), name)
    except Invalid:
        return
    assert found in (*MODULES, "")


@pytest.mark.parametrize(
    ("text", "name", "format"),
    [
        ("Buy milk\nCall mom\n", "todo.txt", "todo.txt"),
        ("Buy milk\n- [ ] Call mom\n", "todo.txt", "markdown"),
        ("# Only a heading\n\nand words\n", "notes.md", "markdown"),
        ("- no box\n- again\n", "todo.txt", "todo.txt"),
        ("A bell \x07 and \x1b[31mred\n", "todo.txt", "todo.txt"),
        ("\ufeffBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "stdin", "icalendar"),
        ("\n\nbegin:vcalendar\nend:vcalendar\n", "stdin", "icalendar"),
        ('{"results": [], "nextCursor": null}', "stdin", "td"),
        ('{"id":"demo-1","title":"Old","created_at":"2026-11-02T08:00:00Z","updated_at":"x"}', "stdin", "beads"),
        ('{"_type":"memory","key":"style","value":"Short"}', "stdin", "beads"),
    ],
)
def test_detect_of_small_files_finds_the_format(text: str, name: str, format: str) -> None:
    assert detect(text, name) == format
