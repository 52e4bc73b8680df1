"""The text of a form: whatever a task contains, it is printed and read back as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todo_cli.cli.forms.editable_text import escape_editable, read_editable
from todo_cli.cli.forms.field_values import FIELDS, Reading, format_values, is_same, read_value
from todo_cli.cli.forms.merge import merge_values
from todo_cli.cli.forms.task_form import FormMistakes, PrintedTask, print_form, read_form
from todo_cli.contract.clock import Clock
from todo_cli.contract.task_types import Reminder
from todo_cli.contract.tasks import Repeat, Task

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
READING = Reading(Clock(NOW, "Europe/Berlin"), "me")

TRICKY = st.sampled_from(
    ["\\", "\\x1b", "\x1b", "\\\\", "\u200b", "\\u200b", "=== #1", "\\=== #12 x", "due: x", "#", "<<<<<<< yours", "\t", " ", "=", "#! "]
)  # fmt: skip  # a list of texts
TEXTS = st.lists(TRICKY | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), max_size=12).map(
    "".join
)
LINES = TEXTS.map(lambda text: " ".join(text.split())[:100].strip()).filter(bool)
NAMES = LINES.map(lambda text: text.replace(" ", "").replace(",", "")).filter(bool)
NOTES = st.lists(TEXTS, max_size=5).map("\n".join)


def make_task(number: int = 1, **fields: Any) -> Task:
    """Return a task."""
    fixed: dict[str, Any] = {"id": "i", "status": "open", "rev": 1, "created_at": NOW, "updated_at": NOW}
    return Task(number=number, **(fixed | {"title": "a"} | fields))


def trim_lines(note: str) -> str:
    """Return a note as a form keeps it."""
    return note.replace("\r\n", "\n").strip("\n \t")


@given(text=TEXTS)
def test_escaped_text_is_read_back(text: str) -> None:
    assert read_editable(escape_editable(text)) == text
    assert escape_editable(text).isprintable() or not escape_editable(text).isascii()


@given(title=LINES, project=NAMES, tags=st.sets(NAMES, max_size=3), notes=st.tuples(NOTES, NOTES))
def test_form_of_any_tasks_is_read_back_as_printed(
    title: str, project: str, tags: set[str], notes: tuple[str, str]
) -> None:
    tasks = [
        make_task(1, title=title, project=project, tags=tuple(sorted(tags)), note=notes[0]),
        make_task(12, note=notes[1]),
    ]
    printed = [PrintedTask(task.number, format_values(task, READING)) for task in tasks]
    blocks = read_form(print_form(["help"], printed), [1, 12])
    for task, before, block in zip(tasks, printed, blocks, strict=True):
        assert block.number == task.number
        assert {name for name in FIELDS if not is_same(name, before.values[name], block.values[name])} == set()
        assert read_value("title", block.values["title"], READING) == {"title": task.title}
        assert trim_lines(read_value("note", block.values["note"], READING)["note"] or "") == trim_lines(
            task.note or ""
        )
    assert read_value("project", blocks[0].values["project"], READING)["project"] == (
        f"#{project}" if project[0] == "#" else project
    )
    assert {tag[1:] for tag in read_value("tags", blocks[0].values["tags"], READING)["tags"]} == tags


def test_values_are_exact_and_in_the_words_of_options() -> None:
    task = make_task(
        due="2026-10-25T01:30:00Z",
        defer="2026-12-01",
        scheduled="2026-12-01T08:00:30Z",
        after=(3, 7),
        assigned_to="ada",
        repeat=Repeat(rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", series="s", occurrence=1, zone="Europe/Berlin"),
        remind=(
            Reminder(user="me", zone="UTC", seconds=5_400),
            Reminder(user="me", zone="UTC", at=datetime(2026, 12, 1, 8, tzinfo=UTC)),
            Reminder(user="me", zone="UTC", at=datetime(2026, 1, 1, 8, tzinfo=UTC)),
            Reminder(user="other", zone="UTC"),
        ),
    )
    values = format_values(task, READING)
    assert (values["due"], values["defer"]) == ("2026-10-25T02:30:00+01:00", "2026-12-01"), (
        "the second 2:30 of that night"
    )
    assert values["scheduled"] == "2026-12-01 09:00:30"
    assert values["every"] == "every 2 weeks on monday"
    assert read_value("assign", values["assign"], READING) == {"assigned_to": "ada"}
    assert values["remind"] == "1h 30m before, 2026-12-01 09:00"
    for name in FIELDS:
        read_value(name, values[name], READING)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("title: a\n\ndue: fri\n", (3, "due stands after an empty line")),
        ("title: a\ntitle: b\n", (2, "title is here twice")),
        ("just a note\n", (1, "has no field in front of it")),
        ("title: a\n=== #7 b\n", (2, "#7 is not in this form")),
        ("colour: red\n", (1, "the fields are title, due")),
        (">>>>>>> theirs\n", (1, "choose one of the two values")),
    ],
)
def test_mistake_is_named_with_its_line(text: str, mistake: tuple[int, str]) -> None:
    with pytest.raises(FormMistakes) as caught:
        read_form(text, [1])
    errors = caught.value.errors
    assert any(error.line == mistake[0] and mistake[1] in error.text for error in errors), errors


def test_merge_keeps_both_changes_and_names_conflicts() -> None:
    base = dict.fromkeys(FIELDS, "") | {"title": "a", "tags": "x y", "note": "n", "after": "1"}
    mine = base | {"title": "b", "tags": "y mine", "due": "fri", "note": "m", "after": "1 2"}
    theirs = base | {"title": "c", "tags": "x theirs", "priority": "1", "note": "m  ", "after": ""}
    values, conflicts = merge_values(base, mine, theirs)
    assert conflicts == {"title": "c"}
    assert (values["title"], values["due"], values["priority"], values["note"]) == ("b", "fri", "1", "m")
    assert (values["tags"], values["after"]) == ("theirs mine", "2")
