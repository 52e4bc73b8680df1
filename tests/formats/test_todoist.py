"""Todoist's CSV and the JSON of `td`: the samples, dates in words, sections, and broken files."""

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
from tests.support.samples import NOW, ZONE
from todo_cli.formats import todoist_backup
from todo_cli.formats.detect import detect_format
from todo_cli.formats.records import FileLoss, NotATask, ReadOptions, ReadTask

HEADER = "TYPE,CONTENT,PRIORITY,INDENT,AUTHOR,DATE,DATE_LANG,TIMEZONE,DEADLINE"


def read_rows(*rows: str, name: str = "Home.csv") -> list[Any]:
    return read_tasks("todoist-csv", "\n".join([HEADER, *rows]).encode(), name)


def make_task(**fields: object) -> dict[str, Any]:
    return {"id": "6X1", "content": "Buy milk", "projectId": "6P1", "priority": 1} | fields


def read_td(*tasks: object) -> list[Any]:
    return read_tasks("td", json.dumps({"results": tasks, "nextCursor": None}).encode())


@pytest.mark.parametrize(
    ("cells", "due", "rule", "lost"),
    [
        ("2026-12-04,de,,", "2026-12-04", None, ()),
        ("2026-12-04 18:30,en,America/New_York,", "2026-12-04T23:30:00Z", None, ()),
        ("2026-12-04 18:30,en,Mars/Olympus,", "2026-12-04T17:30:00Z", None, ()),
        ("every day at 9am,en,,", "2026-11-20T08:00:00Z", "FREQ=DAILY;BYHOUR=9;BYMINUTE=0", ()),
        ("every 4 hours,en,,", None, None, ("date",)),
        ("2026-02-30,en,,", None, None, ("date",)),
        (",,,soon", None, None, ("deadline",)),
    ],
)
def test_read_todoist_dates(cells: str, due: str | None, rule: str | None, lost: tuple[str, ...]) -> None:
    (task,) = read_rows(f"task,Buy milk,4,1,,{cells}")
    assert (task.due, task.every and task.every.rule, task.lost) == (due, rule, lost)


@pytest.mark.parametrize(
    ("name", "project"),
    [("Home [2203306141].csv", "Home"), ("Home [draft].csv", "Home [draft]"), ("v1.2.csv", "v1.2"), ("stdin", None)],
)
def test_read_todoist_takes_the_project_from_the_name_of_the_file(name: str, project: str | None) -> None:
    assert read_rows("task,Buy milk,,,,,,,", name=name)[0].project == project


@pytest.mark.parametrize(
    ("content", "title", "tags"),
    [
        ("@a @b", "@a @b", ("a", "b")),
        ('"Call @sam, then go @out"', "Call @sam, then go", ("sam-", "out")),
        ("Mail a@b.org", "Mail a@b.org", ()),
        ("* @a Heading @b", "@a Heading", ("a", "b")),
    ],
)
def test_read_todoist_labels_leave_the_title_only_from_its_end(content: str, title: str, tags: tuple[str, ...]) -> None:
    (task,) = read_rows(f"task,{content},4,1,,,,,")
    assert (task.title, task.tags) == (title, tags)


def test_read_todoist_parents_end_at_a_section() -> None:
    rows = ["task,A,,1,,,,,", "task,B,,3,,,,,", "section,S,,,,,,,", "task,C,,2,,,,,", "task,D,,x,,,,,"]
    assert [task.parent for task in read_rows(*rows)] == [None, "row:2", None, None]


def test_read_todoist_of_wrong_rows_refuses_them_alone() -> None:
    data = f"{HEADER}\ntask,,4,1,,,,,\nhabit,Run,4,1,,,,,\ntask,Ok,9,1,,,,,\ntask,a,b,c,d,e,f,g,h,i,j\n\ntask,Last"
    records = read_records("todoist-csv", data.encode())
    assert [record.place for record in records if isinstance(record, NotATask) and record.refused] == [
        "row:2",
        "row:3",
        "row:5",
    ]
    ok, last = read_tasks("todoist-csv", data.encode())
    assert (ok.title, ok.priority, ok.lost, last.source_id) == ("Ok", None, ("priority",), "row:7")


def test_read_todoist_with_a_quote_that_never_ends_breaks_at_its_row() -> None:
    data = f'{HEADER}\ntask,One,4,1,,,,,\ntask,"Two\nand more'
    assert read_until_broken("todoist-csv", data.encode()) == (["One"], "row 3")


@pytest.mark.parametrize(
    ("fields", "name", "value", "kept"),
    [
        ({"due": "2026-12-04"}, "due", "2026-12-04", {}),
        ({"due": {"date": "soon"}}, "due", None, {"due": {"date": "soon"}}),
        ({"due": 7}, "due", None, {"due": 7}),
        ({"due": []}, "due", None, {}),
        ({"deadline": {"date": 7}}, "due", None, {"deadline": {"date": 7}}),
        ({"labels": "word"}, "tags", (), {"labels": "word"}),
        ({"labels": ["two words", 7]}, "tags", ("two-words",), {"labels": ["two words", 7]}),
        ({"priority": "p1"}, "priority", None, {"priority": "p1"}),
        ({"priority": True}, "priority", None, {}),
        ({"description": {"a": 1}}, "note", None, {"description": {"a": 1}}),
        ({"parentId": 7}, "parent", "7", {}),
        ({"checked": True, "completedAt": "2026-11-05T15:45:10.123Z"}, "completed_at", "2026-11-05T15:45:10Z", {}),
        ({"sectionId": "6S1", "custom": [1]}, "lost", ("section",), {"sectionId": "6S1", "custom": [1]}),
    ],
)
def test_read_td_fields_of_any_type(fields: dict[str, Any], name: str, value: object, kept: dict[str, Any]) -> None:
    (task,) = read_td(make_task(**fields))
    assert (getattr(task, name), task.kept) == (value, {"projectId": "6P1"} | kept)


def test_read_td_of_records_that_are_no_tasks_refuses_them_alone() -> None:
    tasks = [make_task(content=None), make_task(id=None), 7, None, make_task()]
    records = read_records("td", json.dumps({"nextCursor": "c", "results": tasks}).encode())
    assert [isinstance(record, NotATask) and record.refused for record in records] == [True] * 4 + [False] * 2
    assert records[-1] == FileLoss(word="a next page (cursor c)")


def test_read_td_cut_anywhere_breaks_behind_its_whole_tasks() -> None:
    data = json.dumps({"results": [make_task(content="One"), make_task(content="Two")], "nextCursor": None}).encode()
    for cut in range(5, len(data) - 1, 7):
        titles, place = read_until_broken("td", data[:cut])
        assert titles == ["One", "Two"][: len(titles)]
        assert place is not None


def make_backup(files: dict[str, str], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return file.getvalue()


def test_backup_has_the_tasks_of_each_project_with_their_own_parents() -> None:
    rows = "task,Clean,4,1\ntask,Kitchen,4,2\n"
    backup = make_backup({"Home [123].csv": f"{HEADER}\n{rows}", "sub/Work.csv": f"{HEADER}\n{rows}", "a.txt": "x"})
    records = read_records("todoist-backup", backup, "backup.zip")
    tasks = [record.task for record in records if isinstance(record, ReadTask)]
    assert [(task.title, task.project) for task in tasks] == [
        ("Clean", "Home"), ("Kitchen", "Home"), ("Clean", "Work"), ("Kitchen", "Work"),
    ]  # fmt: skip  # a table
    assert [task.parent for task in tasks] == [None, tasks[0].source_id, None, tasks[2].source_id]
    assert len({task.source_id for task in tasks}) == 4
    assert [record.place for record in records if isinstance(record, NotATask)] == ["a.txt"]


@pytest.mark.parametrize("cut", [40, 200, -30])
def test_backup_that_is_damaged_is_broken(cut: int) -> None:
    backup = make_backup({"Home.csv": f"{HEADER}\n" + "".join(f"task,t{number * 7919},4,1\n" for number in range(99))})
    _, error = read_until_broken("todoist-backup", backup[:cut])
    assert error is not None


def test_backup_that_states_a_huge_size_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(todoist_backup, "MAX_DATA_BYTES", 1_000)
    backup = make_backup({"Home.csv": f"{HEADER}\n" + "task,x,4,1\n" * 1_000})
    records, error = read_until_broken("todoist-backup", backup)
    assert records == []
    assert error == "the archive"


def test_archive_is_a_backup_of_todoist_by_its_first_file() -> None:
    options = ReadOptions(zone=ZONE, now=NOW, name="export.zip")
    for name, format in {"Home [1].csv": "todoist-backup", "data.json": "vikunja"}.items():
        found = detect_format(io.BytesIO(make_backup({name: "[]"})), options)
        assert found is not None
        assert format == found.NAME
