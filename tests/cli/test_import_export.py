"""`todo import` and `todo export` as a user runs them: files of real tools in and out again, twice, interrupted, undone."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND, Database, Todo, wait_for
from tests.support.samples import SAMPLES

DERIVED = ("id", "urgency")


@pytest.fixture
def way() -> str:
    """Use the direct client: `tests/operations/test_imports.py` sends the same Requests over both."""
    return "direct"


def report_of(todo: Todo, *arguments: str, stdin: str | None = None) -> dict[str, Any]:
    """Import and return the report."""
    done = todo("import", *arguments, "--json", stdin=stdin)
    assert done.code == 0, done.err
    report: dict[str, Any] = json.loads(done.out)
    return report


def taskwarrior_records(text: str) -> list[dict[str, Any]]:
    """Return the records of an export of Taskwarrior without derived values, by uuid."""
    records = [{name: value for name, value in record.items() if name not in DERIVED} for record in json.loads(text)]
    return sorted(records, key=lambda record: record["uuid"])


def test_taskwarrior_export_comes_out_as_it_went_in(todo: Todo) -> None:
    path = SAMPLES / "taskwarrior" / "export-2.6.2.json"
    assert report_of(todo, str(path))["added"] == 24
    assert report_of(todo, str(path))["known"] == 24
    out = todo("export", "--format", "taskwarrior").out
    assert taskwarrior_records(out) == taskwarrior_records(path.read_text())


@pytest.mark.parametrize("name", ["todo.txt", "done.txt"])
def test_todo_txt_comes_out_as_it_went_in(todo: Todo, name: str) -> None:
    path = SAMPLES / "todotxt" / name
    lines = [line for line in path.read_text().splitlines() if line.strip()]
    report_of(todo, str(path))
    out = todo("export", "--format", "todo.txt").out.splitlines()
    assert [sorted(line.split()) for line in out] == [sorted(line.split()) for line in lines]


def test_json_lines_bring_everything_to_another_user_and_back(
    todo: Todo, db: Database, as_person: Callable[..., Todo], tmp_path: Path
) -> None:
    report_of(todo, str(SAMPLES / "taskwarrior" / "export-2.6.2.json"))
    todo("add", "Water plants every week #home @a p1", "--note", "Long\nnote", "--due", "2036-01-01", "--after", "1,2")
    todo("add", "Part", "--parent", "1", "--remind", "1h before", "--due", "2036-01-01")
    todo("move", "1", "--last")
    todo("comment", "1", "Said here")
    todo("rm", "3", "--yes")
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    assert todo("export", "-o", str(first)).code == 0
    other = as_person(db.person(), "direct")
    assert report_of(other, str(first))["refused"] == 0
    assert other("export", "-o", str(second)).code == 0
    own = [json.loads(line) for line in first.read_text().splitlines()]
    brought = [json.loads(line) for line in second.read_text().splitlines()]
    assert [without_users(line) for line in brought] == [without_users(line) for line in own]
    back = other("export", "--format", "taskwarrior").out
    assert len([record for record in json.loads(back) if "uuid" in record]) >= 24


def test_import_reports_assignees_who_are_no_members(todo: Todo, tmp_path: Path) -> None:
    path = tmp_path / "issues.jsonl"
    issue = {"_type": "issue", "title": "Fix it", "status": "open", "priority": 2, "updated_at": "2026-11-01T00:00:00Z"}
    mine = {**issue, "id": "a-1", "assignee": json.loads(todo("whoami", "--json").out)["name"]}
    path.write_text("".join(json.dumps(line) + "\n" for line in (mine, {**issue, "id": "a-2", "assignee": "nobody"})))
    imported = todo("import", str(path))
    assert "not assigned: 1 task to users who are no members who may finish tasks here" in imported.out + imported.err
    assert len(todo("list", "assigned:me").lines) == 1
    exported = todo("export", "--format", "beads").out.splitlines()
    assert [json.loads(line)["assignee"] for line in exported] == [mine["assignee"], "nobody"]


def without_users(line: dict[str, Any]) -> dict[str, Any]:
    """Return a line without the ids of users and of series, which every server makes anew."""
    line.pop("remind", None)
    line.get("series", {}).pop("id", None)
    return line


def test_csv_cells_that_a_spreadsheet_would_run_are_text_and_come_back(todo: Todo, tmp_path: Path) -> None:
    cells = json.loads((SAMPLES / "expected" / "csv-out-formulas.json").read_text())["cells"]
    notes = [f"{cell}" for cell in cells]
    for note in notes:
        todo("add", "x", "--raw", "--note", note)
    path = tmp_path / "out.csv"
    todo("export", "--format", "csv", "-o", str(path))
    for note in notes:
        assert f",{cells[note]},\r\n" in path.read_bytes().decode(), note
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert len(rows) == len(cells)
    again = todo("import", str(path), "--name", "other", "--into", "copy")
    assert again.code == 0, again.err
    copied = [json.loads(line).get("note") for line in todo("export", "project:copy").out.splitlines()[1:]]
    assert copied == notes


def test_spreadsheet_comes_in_by_a_mapping(todo: Todo) -> None:
    report = report_of(
        todo, str(SAMPLES / "csv" / "sheet-semicolon.csv"), "--map", "title=Aufgabe,due=Fällig,status=Erledigt",
        "--map", "priority=Wichtigkeit", "--value", "status:ja=done,nein=open", "--value", "priority:hoch=1,niedrig=3",
        "--dates", "DD.MM.YYYY",
    )  # fmt: skip  # options in pairs
    assert (report["added"], report["other_records"]) == (3, {"empty": 1})
    tasks = json.loads(todo("list", "--status", "all", "--sort", "created", "--json").out)["tasks"]
    assert [(task["due"], task["status"], task["priority"]) for task in tasks] == [
        ("2026-12-04", "open", 1),
        ("2026-12-03T14:30:00Z", "done", None),
        (None, "open", 3),
    ]


def test_lines_without_ids_are_known_again_in_any_order(todo: Todo) -> None:
    assert report_of(todo, "-", "--format", "todo.txt", stdin="Milk\nBread\nMilk\n")["added"] == 3
    again = report_of(todo, "-", "--format", "todo.txt", stdin="New\nBread\nMilk\nx 2026-11-02 Milk\n")
    assert (again["added"], again["known"], again["changed"]) == (1, 3, 1)


def test_broken_file_stores_nothing_and_partial_takes_the_whole_records(todo: Todo) -> None:
    path = str(SAMPLES / "hostile" / "truncated.json")
    done = todo("import", path)
    assert (done.code, done.out) == (2, "")
    assert "task 3: the JSON ends early; nothing was imported" in done.err
    assert todo("list").out == ""
    assert report_of(todo, path, "--partial")["added"] == 2


def test_plan_reports_and_stores_nothing(todo: Todo) -> None:
    done = todo("import", str(SAMPLES / "taskwarrior" / "export-2.6.2.json"), "--plan", "--kept")
    assert done.lines[0] == "Would import 24 tasks from export-2.6.2.json (taskwarrior)"
    assert "until of 1 task" in done.err
    assert any(line.startswith('Collect prices: {"') for line in done.lines)
    assert todo("list").out == ""


def test_long_text_is_refused_with_its_limit_or_shortened_and_kept(todo: Todo) -> None:
    record = json.dumps(
        [{"uuid": "0" * 8 + "-0000-4000-8000-" + "0" * 12, "description": "y" * 1_001, "status": "pending"}]
    )
    refused = report_of(todo, "-", stdin=record)
    assert refused["refusals"] == [
        {"place": "task 1", "reason": "title is longer than 1,000 characters", "title": "y" * 80}
    ]
    assert report_of(todo, "-", "--shorten", stdin=record)["added"] == 1
    (task,) = json.loads(todo("export", "--format", "taskwarrior").out)
    assert task["shortened"] == {"title": "y" * 1_001}


def test_killed_import_goes_on_and_one_undo_takes_it_back(todo: Todo, tmp_path: Path) -> None:
    path = tmp_path / "todo.txt"
    path.write_text("".join(f"task {number}\n" for number in range(3_000)))
    process = subprocess.Popen([*COMMAND, "import", str(path)], env=todo.environment(), stderr=subprocess.DEVNULL)
    wait_for(lambda: todo("list", "-n", "1").out != "")
    process.send_signal(signal.SIGKILL)
    process.wait()
    report = report_of(todo, str(path))
    assert report["known"] % 500 == 0
    assert (report["added"] + report["known"], report["tasks"]) == (3_000, 3_000)
    assert todo("undo").code == 0
    assert todo("list", "-n", "1").out == ""


def test_export_writes_the_file_whole_or_not_at_all(todo: Todo, tmp_path: Path) -> None:
    todo("add", "One")
    missing = todo("export", "-o", str(tmp_path / "none" / "x.jsonl"))
    assert missing.code == 7
    assert "cannot write" in missing.err
    path = tmp_path / "x.jsonl"
    path.write_text("old")
    assert todo("export", "-o", str(path), "nonsense:(", env={}).code == 2
    assert path.read_text() == "old"
    report = json.loads(todo("export", "-o", str(path), "--journal", "--json").out)
    assert (report["tasks"], report["changes"]) == (1, 1)
    assert [json.loads(line)["_type"] for line in path.read_text().splitlines()] == ["todo", "task", "change"]


def test_update_reports_what_it_took_over_and_what_it_did_not(todo: Todo) -> None:
    old = '[{"uuid":"5a197f7c-3bd5-42a6-a23e-4d313c82f040","description":"Collect prices","status":"pending"}]'
    todo("import", "-", "--name", "offers", stdin=old)
    new = old.replace("Collect prices", "Collect offers")
    assert "todo import --update" in todo("import", "-", "--name", "offers", stdin=new).err
    todo("edit", "1", "--title", "Mine")
    kept = todo("import", "-", "--name", "offers", "--update", stdin=new)
    assert "conflict: #1 Mine: title changed here and in the file; yours stay" in kept.err
    taken = todo("import", "-", "--name", "offers", "--theirs", stdin=new)
    assert "1 are here already, of which 1 are updated from the file" in taken.out
    assert "Collect offers" in todo("list").out


def test_attached_files_come_along_once_and_with_the_right_bytes(
    todo: Todo, db: Database, as_person: Callable[..., Todo], tmp_path: Path
) -> None:
    data, files, out = tmp_path / "notes.txt", tmp_path / "files", tmp_path / "all.jsonl"
    data.write_bytes(b"notes" * 100_000)
    todo("add", "-", stdin="a\nb\nc\n")
    for number in ("1", "2"):
        todo("attachment", "add", number, str(data))
    assert todo("export", "-o", str(out), "--attachments", str(files), "--json").json["files"] == 2
    (stored,) = files.iterdir()
    assert stored.read_bytes() == data.read_bytes()
    other = as_person(db.person(), "direct")
    for attached, known in ((2, 0), (0, 2)):
        report = other("import", str(out), "--attachments", str(files), "--json").json
        assert (report["files"], report["known_files"], report["refused"]) == (attached, known, 0)
    assert other("attachment", "get", "1", "-o", "-").out == "notes" * 100_000
    stored.write_bytes(b"other" * 100_000)
    refused = as_person(db.person(), "direct")("import", str(out), "--attachments", str(files))
    assert refused.err.count("has other bytes than when it was exported") == 2
    hostile = json.dumps({"_type": "attachment", "task": "a", "name": "x", "type": "t", "size": 1, "sha256": "../x"})
    out.write_text(out.read_text() + hostile + "\n")
    assert "not attached: line 7" in other("import", str(out), "--attachments", str(files)).err


@pytest.mark.parametrize("format", ["jsonl", "taskwarrior", "icalendar"])
def test_import_of_an_export_of_the_same_list_adds_nothing(todo: Todo, tmp_path: Path, format: str) -> None:
    assert todo("add", "-", stdin="Pay rent #home due:2036-01-01\nBuy milk\nMow the lawn\n").code == 0
    todo("done", "2")
    todo("rm", "3", "--yes")
    path = tmp_path / "backup"
    assert todo("export", "--format", format, "-o", str(path)).code == 0
    report = report_of(todo, str(path), "--format", format)
    assert (report["added"], report["changed"]) == (0, 0)
    assert report["known"] == report["tasks"] > 0


def test_later_export_of_taskwarrior_under_another_name_adds_what_is_new(todo: Todo, tmp_path: Path) -> None:
    task = '{"uuid":"5a197f7c-3bd5-42a6-a23e-4d313c82f04%d","description":"Task %d","status":"pending"}\n'
    (tmp_path / "november.json").write_text(task % (1, 1))
    (tmp_path / "december.json").write_text(task % (1, 1) + task % (2, 2))
    assert report_of(todo, str(tmp_path / "november.json"))["added"] == 1
    assert report_of(todo, str(tmp_path / "december.json"))["added"] == 1
    assert report_of(todo, str(tmp_path / "december.json"), "--name", "apart")["added"] == 2


def test_equal_titles_without_ids_of_two_files_are_two_tasks(todo: Todo, tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text('[{"description":"Buy milk","status":"pending"}]')
        assert report_of(todo, str(tmp_path / name))["added"] == 1, name
