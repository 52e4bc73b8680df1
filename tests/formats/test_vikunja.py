"""Vikunja's export: the samples, HTML as text, links seen from either side, and hostile archives."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest

from tests.support.format_files import (
    read_records,
    read_tasks,
    read_until_broken,
)
from todo_cli.formats.html_text import read_html
from todo_cli.formats.records import FileLoss, NotATask


def make_task(**fields: object) -> dict[str, Any]:
    return {"id": 1, "title": "Buy milk", "done": False, "created": "2026-11-02T08:00:00Z"} | fields


def make_data(*tasks: object, **project: object) -> bytes:
    return json.dumps([{"id": 1, "title": "Inbox", "parent_project_id": 0, "tasks": tasks} | project]).encode()


def make_archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
    return file.getvalue()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>three</p>", "One\nTwo\nthree"),
        ("<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>", "- a\n  - b\n- c"),
        ("<ol><li><p>a</p></li><li>b</li></ol>", "1. a\n2. b"),
        ('<a href="https://x.org">https://x.org</a> &amp; <b>bold</b>', "https://x.org & bold"),
        ("<pre><code>a\n  b</code></pre>", "a\n  b"),
        ("<script>alert(1)</script><style>p{}</style>x", "x"),
        ("plain < text\nof two lines", "plain < text\nof two lines"),
        ("<p>never <b>closed", "never closed"),
        ('<li data-type="taskItem" data-checked="true">x', "- [x] x"),
    ],
)
def test_read_html_returns_plain_text(html: str, text: str) -> None:
    assert read_html(html) == text


@pytest.mark.parametrize(
    ("fields", "rule", "from_done", "lost"),
    [
        ({"repeat_after": 86_400}, "FREQ=DAILY", False, ()),
        ({"repeat_after": 1_209_600, "repeat_mode": 2}, "FREQ=WEEKLY;INTERVAL=2", True, ()),
        ({"repeat_mode": 1}, "FREQ=MONTHLY", False, ()),
        ({"repeat_after": 90_000}, None, None, ("repeat_after",)),
        ({"repeat_after": -86_400}, None, None, ("repeat_after",)),
        ({"repeat_after": "daily"}, None, None, ("repeat_after",)),
        ({"repeat_after": 86_400, "done": True}, None, None, ()),
    ],
)
def test_read_vikunja_repeats(
    fields: dict[str, Any], rule: str | None, from_done: bool | None, lost: tuple[str, ...]
) -> None:
    (task,) = read_tasks("vikunja", make_data(make_task(**fields)))
    assert (task.every and task.every.rule, task.every and task.every.from_done, task.lost) == (rule, from_done, lost)


def test_read_vikunja_links_count_from_either_side() -> None:
    parent = make_task(id=1, related_tasks={"subtask": [{"id": 2}], "blocking": [{"id": 3}], "follows": [{"id": 3}]})
    tasks = read_tasks("vikunja", make_data(parent, make_task(id=2), make_task(id=3)))
    assert [(task.parent, task.after) for task in tasks] == [(None, ()), ("1", ()), (None, ("1",))]
    assert (tasks[0].kept, tasks[0].lost) == ({"follows": ["3"]}, ("follows",))


def test_read_vikunja_projects_in_a_circle_end_where_it_closes() -> None:
    projects = [{"id": one, "title": str(one), "parent_project_id": 3 - one, "tasks": [make_task()]} for one in (1, 2)]
    assert [task.project for task in read_tasks("vikunja", json.dumps(projects).encode())] == ["2.1", "1.2"]


@pytest.mark.parametrize(
    "fields",
    [
        {"labels": "word"},
        {"labels": [7, {}]},
        {"comments": {}},
        {"comments": [{"author": 7, "comment": 7}]},
        {"related_tasks": []},
        {"related_tasks": {"subtask": 7, "blocked": [7]}},
        {"assignees": 7},
        {"priority": "x"},
        {"attachments": [{"file": 7}]},
        {"due_date": 7},
        {"due_date": "soon"},
        {"description": 7},
        {"done_at": []},
    ],
)
def test_read_vikunja_of_a_wrong_type_still_takes_the_task(fields: dict[str, Any]) -> None:
    (task,) = read_tasks("vikunja", make_data(make_task(**fields)))
    assert task.title == "Buy milk"


def test_read_vikunja_of_records_that_are_no_tasks_refuses_them_alone() -> None:
    records = read_records("vikunja", make_data(7, {}, make_task(title=" "), make_task(id=None), make_task()))
    assert [isinstance(record, NotATask) and record.refused for record in records] == [True] * 4 + [False]


def test_read_vikunja_cut_anywhere_breaks_behind_its_whole_tasks() -> None:
    data = make_data(make_task(title="One"), make_task(title="Two"), buckets=[])
    for cut in range(2, len(data) - 1, 7):
        titles, place = read_until_broken("vikunja", data[:cut])
        assert titles == ["One", "Two"][: len(titles)]
        assert place is not None


@pytest.mark.parametrize(
    "data",
    [
        make_archive(readme_txt=b"no export"),
        make_archive(data_json=make_data(make_task()))[:-30],
        make_archive(data_json=b'[{"tasks":['),
        make_archive(data_json=b'{"tasks": []}'),
        b"PK\x03\x04 no archive",
    ],
)
def test_read_vikunja_of_a_broken_archive_breaks(data: bytes) -> None:
    assert read_until_broken("vikunja", data)[1] is not None


def test_read_vikunja_with_broken_filters_takes_the_tasks() -> None:
    records = read_records("vikunja", make_archive(data_json=make_data(make_task()), filters_json=b"[{"))
    assert len(records) == 1
    assert not any(isinstance(record, FileLoss) for record in records)
