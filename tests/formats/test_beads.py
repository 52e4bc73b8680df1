"""Beads' JSON Lines in and out."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from tests.support.format_files import (
    export_tasks,
    make_exported,
    read_records,
    read_tasks,
    write_file,
)
from tests.support.samples import SAMPLES
from todo_cli.formats.beads import DERIVED
from todo_cli.formats.records import ExportedTask, ImportedRepeat, NotATask

ISSUE = {"_type": "issue", "id": "demo-a1", "title": "Ship", "status": "open", "created_at": "2026-11-02T08:00:00Z"}


def read_lines(*issues: dict[str, Any]) -> list[ExportedTask]:
    """Return the tasks of these issues as an export has them."""
    return export_tasks(read_tasks("beads", "\n".join(json.dumps(ISSUE | issue) for issue in issues).encode()))


def write_lines(*tasks: ExportedTask) -> list[dict[str, Any]]:
    return [json.loads(line) for line in write_file("beads", tasks)[0].splitlines()]


def test_write_beads_of_the_sample_gives_back_its_lines() -> None:
    data = (SAMPLES / "beads/issues.jsonl").read_bytes()
    source = [json.loads(line) for line in data.splitlines()]
    for issue in source:
        for name in DERIVED:
            issue.pop(name, None)
        for comment in issue.get("comments", []):
            comment.pop("id")
    issues = [issue for issue in source if issue.get("status") != "tombstone" and issue.get("_type") != "memory"]
    defaults = {"_type": "issue", "status": "open"}
    in_utc = {"created_at": "2026-11-02T08:00:00Z"}
    assert write_lines(*export_tasks(read_tasks("beads", data))) == [defaults | issue | in_utc for issue in issues]


@pytest.mark.parametrize(
    ("issue", "changes", "written"),
    [
        ({"status": "in_progress"}, {"status": "done", "completed_at": "2026-11-21T08:00:00Z"}, {"status": "closed"}),
        ({"priority": 0}, {"priority": 3}, {"priority": 3}),
        ({"priority": 0}, {}, {"priority": 0}),
        ({"labels": ["two words"]}, {"tags": ("new",)}, {"labels": ["new"]}),
        ({"labels": ["two words"]}, {}, {"labels": ["two words"]}),
        ({"design": "Look"}, {"note": "Mine\n\n## Design\n\nLook"}, {"description": "Mine", "design": "Look"}),
    ],
)
def test_write_beads_of_a_changed_field_drops_the_kept_value(
    issue: dict[str, Any], changes: dict[str, Any], written: dict[str, Any]
) -> None:
    (task,) = read_lines(issue)
    (line,) = write_lines(msgspec.structs.replace(task, **changes))
    assert {name: line[name] for name in written} == written


def test_write_beads_of_our_tasks_has_ids_of_beads_and_names_the_losses() -> None:
    parent = make_exported(1, title="Parent", project="Home")
    child = make_exported(
        2,
        title="Child",
        parent=parent,
        after=[parent],
        priority=2,
        tags=("a",),
        due="2026-12-04",
        every=ImportedRepeat(rule="FREQ=DAILY"),
    )
    deleted = make_exported(3, title="Gone", status="deleted")
    text, losses = write_file("beads", [parent, child, deleted])
    _, line = [json.loads(line) for line in text.splitlines()]
    assert (line["id"], line["priority"], line["labels"]) == ("todo-2", 2, ["a"])
    assert [(link["depends_on_id"], link["type"]) for link in line["dependencies"]] == [
        ("todo-1", "parent-child"),
        ("todo-1", "blocks"),
    ]
    assert [(loss.number, loss.word) for loss in losses] == [(1, "project"), (2, "every"), (2, "due"), (3, "status")]


@pytest.mark.parametrize(
    "issue",
    [{"title": 7}, {"id": None}, {"title": " "}],
)
def test_read_beads_of_an_issue_without_id_or_title_refuses_it_alone(issue: dict[str, Any]) -> None:
    data = "\n".join(json.dumps(line) for line in (ISSUE | issue, ISSUE, [1]))
    records = read_records("beads", data.encode())
    assert [isinstance(record, NotATask) and record.refused for record in records] == [True, False, True]


@pytest.mark.parametrize(
    "issue",
    [
        {"labels": "word"},
        {"labels": [1, None]},
        {"dependencies": {"a": 1}},
        {"dependencies": [7, {"type": []}]},
        {"comments": "x"},
        {"comments": [1, {"text": 7}]},
        {"priority": "high"},
        {"priority": 9},
        {"due_at": 12},
        {"due_at": "2026-13-01"},
        {"status": 5},
        {"description": ["a"]},
        {"metadata": {"n": 1}},
    ],
)
def test_read_beads_of_a_wrong_type_keeps_the_value(issue: dict[str, Any]) -> None:
    (task,) = read_lines(issue)
    name, value = next(iter(issue.items()))
    assert name == "comments" or task.kept.get(name) == value
    assert write_lines(task)
