"""iCalendar in and out: the samples, folding and escapes, dates in every form, and what is kept."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from tests.support.format_files import (
    export_tasks,
    read_records,
    read_tasks,
    read_until_broken,
    write_file,
)
from tests.support.samples import SAMPLES
from todo_cli.formats.records import ExportedTask, ImportedRepeat, ImportedTask, ReadTask

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)
LINE = TEXT.map(lambda text: " ".join(text.split())).filter(bool)
NOTE = st.lists(LINE, max_size=4).map("\n".join)


def make_file(*properties: str, component: str = "VTODO", behind: str = "END:VCALENDAR") -> bytes:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"BEGIN:{component}", "UID:a@example.org"]
    return "\r\n".join([*lines, *properties, f"END:{component}", behind, ""]).encode()


def read_one(*properties: str) -> ImportedTask:
    (task,) = read_tasks("icalendar", make_file("SUMMARY:Buy milk", *properties))
    return task


def make_task(number: int = 1, **fields: object) -> ExportedTask:
    at = "2026-11-20T08:00:00Z"
    values = {"number": number, "id": f"id-{number}", "title": "Buy milk", "created_at": at, "updated_at": at}
    return msgspec.convert(values | fields, ExportedTask)


@pytest.mark.parametrize("path", ["todos.ics", "todoman-4.7.0-1.ics", "todoman-4.7.0-2.ics", "todoman-4.7.0-3.ics"])
def test_write_icalendar_of_a_sample_gives_back_each_of_its_lines(path: str) -> None:
    source = (SAMPLES / "icalendar" / path).read_bytes()
    text, losses = write_file("icalendar", export_tasks(read_tasks("icalendar", source, path)))
    assert losses == []
    old, new = (Calendar.from_ical(data).walk("VTODO") for data in (source, text.encode()))
    assert len(old) == len(new)
    for before, after in zip(old, new, strict=True):
        lines = set(after.to_ical().replace(b"\r\n ", b"").splitlines())
        missing = {line for line in before.to_ical().replace(b"\r\n ", b"").splitlines() if line not in lines}
        # A child names its parent, where the parent named the child. The language of a comment has no field.
        assert all(b"RELTYPE=CHILD" in line or b"LANGUAGE=en" in line or b"RELTYPE=PARENT" in line for line in missing)
        assert before.subcomponents == after.subcomponents


@settings(max_examples=60, deadline=None)
@given(title=LINE, note=NOTE, tags=st.lists(st.text("äb-東🚀;\\", min_size=1, max_size=30), unique=True, max_size=3))
def test_write_icalendar_of_any_text_is_folded_valid_and_read_back_equal(
    title: str, note: str, tags: list[str]
) -> None:
    task = make_task(title=title, note=note or None, tags=tuple(tags), project="Home")
    text, _ = write_file("icalendar", [task])
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75
    (todo,) = Calendar.from_ical(text).walk("VTODO")
    assert todo.errors == []
    (read,) = read_tasks("icalendar", text.encode())
    assert (read.title, read.note, read.tags, read.project) == (title, note or None, tuple(tags), "Home")


@pytest.mark.parametrize("text", ["C:\\new\\Notes", "\\N", "a\\", "a\\,b;c", "end\\n"])
def test_write_icalendar_of_backslashes_is_read_back_equal(text: str) -> None:
    (read,) = read_tasks("icalendar", write_file("icalendar", [make_task(title=text)])[0].encode())
    assert read.title == text


def test_write_icalendar_of_every_field_is_read_back_equal() -> None:
    first = make_task(
        1,
        due="2026-12-04",
        scheduled="2026-12-03T07:00:00Z",
        priority=2,
        status="done",
        completed_at="2026-11-21T08:00:00Z",
    )
    reference = {"number": 1, "id": "id-1"}
    rule = ImportedRepeat(rule="FREQ=WEEKLY;BYDAY=MO,TH")
    second = make_task(
        2,
        parent=reference,
        after=[reference],
        every=rule,
        due="2026-12-07",
        comments=[{"text": "Called,\nnobody there"}],
    )
    text, losses = write_file("icalendar", [first, second])
    assert losses == []
    one, two = read_tasks("icalendar", text.encode())
    assert (one.due, one.scheduled, one.priority) == (first.due, first.scheduled, first.priority)
    assert (one.status, one.completed_at) == ("done", first.completed_at)
    assert (two.parent, two.after, two.every, two.comments) == ("id-1", ("id-1",), rule, second.comments)
    assert (two.due, two.scheduled) == ("2026-12-07", None)


def test_write_icalendar_of_a_rule_has_the_start_that_the_standard_requires() -> None:
    text, _ = write_file("icalendar", [make_task(every=ImportedRepeat(rule="FREQ=DAILY"), due="2026-12-07")])
    (todo,) = Calendar.from_ical(text).walk("VTODO")
    assert todo.decoded("dtstart") == todo.decoded("due")


def test_write_icalendar_of_a_done_occurrence_has_no_rule() -> None:
    every = ImportedRepeat(rule="FREQ=DAILY", from_done=True)
    done = make_task(every=every, status="done", completed_at="2026-11-20T08:00:00Z", due="2026-12-07")
    text, losses = write_file("icalendar", [done])
    assert losses == []
    assert "RRULE" not in text
    assert "DTSTART" not in text


def test_write_icalendar_of_two_projects_gives_each_task_its_own() -> None:
    tasks = [make_task(1, project="Home"), make_task(2, project="Work.Desk"), make_task(3)]
    text, _ = write_file("icalendar", tasks)
    assert [task.project for task in read_tasks("icalendar", text.encode())] == ["Home", "Work.Desk", "a file"]


def test_write_icalendar_names_the_values_that_it_cannot_take() -> None:
    comments = [{"text": "a", "at": "2026-11-20T08:00:00Z", "by": "sam"}]
    every = ImportedRepeat(rule="FREQ=DAILY", from_done=True)
    task = make_task(defer="2026-12-01", tracked=60, started_at="2026-11-20T08:00:00Z", comments=comments, every=every)
    _, losses = write_file("icalendar", [task])
    assert sorted(loss.word for loss in losses) == [
        "comments.at",
        "comments.by",
        "defer",
        "every.from_done",
        "started_at",
        "tracked",
    ]


@pytest.mark.parametrize(
    ("properties", "changes", "gone", "written"),
    [
        (["DUE;TZID=Europe/Berlin:20261203T090000"], {"due": "2026-12-05"}, "TZID", "DUE;VALUE=DATE:20261205"),
        (["DTSTART:20261203T090000Z", "DURATION:P1D"], {"due": "2026-12-09"}, "DURATION", "DUE;VALUE=DATE:20261209"),
        (["PRIORITY:4"], {"priority": 3}, "PRIORITY:4", "PRIORITY:9"),
        (["CATEGORIES:two words"], {"tags": ("new",)}, "two words", "CATEGORIES:new"),
        (["STATUS:IN-PROCESS", "PERCENT-COMPLETE:40"], {"status": "done"}, "PERCENT", "STATUS:COMPLETED"),
        (["RRULE:FREQ=HOURLY"], {"every": ImportedRepeat(rule="FREQ=DAILY")}, "HOURLY", "RRULE:FREQ=DAILY"),
        (["RELATED-TO;RELTYPE=FINISHTOSTART;GAP=P1D:a@example.org"], {"after": ()}, "GAP", "SUMMARY:Buy milk"),
    ],
)
def test_write_icalendar_of_a_changed_field_drops_the_kept_line(
    properties: list[str], changes: dict[str, object], gone: str, written: str
) -> None:
    (task,) = export_tasks([read_one(*properties)])
    text, _ = write_file("icalendar", [msgspec.structs.replace(task, **changes)])
    assert gone not in text
    assert written in text


def test_write_icalendar_of_zoned_dates_defines_each_zone_once() -> None:
    tasks = export_tasks(read_tasks("icalendar", (SAMPLES / "icalendar/todos.ics").read_bytes(), "todos.ics"))
    text, _ = write_file("icalendar", tasks)
    assert [line for line in text.splitlines() if line.startswith("TZID:")] == [
        "TZID:Europe/Berlin",
        "TZID:Custom Eastern",
    ]


@pytest.mark.parametrize(
    ("properties", "field", "value", "lost"),
    [
        (["DUE:tomorrow"], "due", None, ("due",)),
        (["DUE;VALUE=DATE:20260230"], "due", None, ("due",)),
        (["DUE:99991231T235959Z"], "due", None, ("due",)),
        (["DURATION:PT1H"], "due", None, ("duration",)),
        (["DTSTART;VALUE=DATE:20261203", "DURATION:P2D"], "due", "2026-12-05", ()),
        (["DUE;TZID=W. Europe Standard Time:20261203T090000"], "due", "2026-12-03T08:00:00Z", ()),
        (["PRIORITY:high"], "priority", None, ("priority",)),
        (["STATUS:X-MAYBE"], "status", "open", ("status",)),
        (["RRULE:FREQ=NEVER"], "every", None, ("rrule",)),
        (["STATUS:NEEDS-ACTION", "COMPLETED:20261105T090000Z"], "status", "open", ()),
    ],
)
def test_read_icalendar_of_a_value_that_is_none_keeps_its_line(
    properties: list[str], field: str, value: object, lost: tuple[str, ...]
) -> None:
    task = read_one(*properties)
    assert (getattr(task, field), task.lost) == (value, lost)
    assert properties[-1] in task.kept["lines"]


def test_read_icalendar_of_an_alarm_with_a_uid_keeps_the_tasks_own() -> None:
    alarm = ["BEGIN:VALARM", "UID:alarm@example.org", "DESCRIPTION:Ring", "END:VALARM"]
    (record,) = read_records("icalendar", make_file(*alarm, "SUMMARY:Buy milk"))
    assert isinstance(record, ReadTask)
    assert (record.task.source_id, record.task.note, record.task.kept["lines"]) == ("a@example.org", None, alarm)


def test_read_icalendar_of_latin1_lines_reads_them_as_windows_1252() -> None:
    *records, notice = read_records("icalendar", make_file("SUMMARY:Käse").replace("ä".encode(), b"\xe4"))
    assert [record.task.title for record in records if isinstance(record, ReadTask)] == ["Käse"]
    assert "1 line is not UTF-8" in str(notice)


def test_read_icalendar_of_a_huge_attachment_takes_the_task_without_it() -> None:
    data = make_file("ATTACH;ENCODING=BASE64:" + "\r\n ".join(["A" * 70] * 100_000), "SUMMARY:Buy milk")
    (task,) = read_tasks("icalendar", data)
    assert (task.title, task.kept, task.lost) == ("Buy milk", {}, ("attach",))


def test_read_icalendar_cut_anywhere_breaks_behind_its_whole_tasks() -> None:
    data = make_file("SUMMARY:One", behind="BEGIN:VTODO\r\nUID:b\r\nSUMMARY:Two\r\nEND:VTODO\r\nEND:VCALENDAR")
    for cut in range(len("BEGIN:VCALENDAR\r\n"), len(data) - len("R\r\n"), 3):
        whole = data[:cut].count(b"END:VTODO")
        assert read_until_broken("icalendar", data[:cut])[0] == ["One", "Two"][:whole]
        assert read_until_broken("icalendar", data[:cut])[1] is not None
    assert read_until_broken("icalendar", data) == (["One", "Two"], None)


def test_read_icalendar_truncated_sample_names_the_second_task() -> None:
    data = (SAMPLES / "hostile/truncated.ics").read_bytes()
    assert read_until_broken("icalendar", data) == (["Whole"], "VTODO 2")


def test_read_icalendar_with_one_uid_twice_gives_the_versions() -> None:
    records = read_records("icalendar", (SAMPLES / "hostile/duplicate-uid.ics").read_bytes())
    assert [record.version for record in records if isinstance(record, ReadTask)] == [(1, ""), (2, "")]
