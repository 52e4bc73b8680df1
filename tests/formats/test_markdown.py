"""Check lists in Markdown in and out: boxes, nesting, notes, headings, and lists longer than a chunk."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.format_files import (
    export_tasks,
    make_exported,
    read_records,
    read_tasks,
    read_until_broken,
    write_file,
)
from tests.support.samples import SAMPLES
from todo_cli.formats.markdown_blocks import CHUNK_CHARS, MAX_NESTING
from todo_cli.formats.records import FileLoss, NotATask

STARTS = [
    "",
    "- ",
    "* [ ] ",
    "+",
    "# ",
    "1. ",
    "23)",
    "> ",
    "```",
    "~~~",
    "***",
    "===",
    "---",
    "[a]: ",
    "<div>",
    "|",
    "\\-",
    "\\",
]
WORDS = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], include_characters=" []"), min_size=1, max_size=20
)
LINE = (
    st.tuples(st.sampled_from(STARTS), WORDS, st.sampled_from(["", " #", "##", "\\", " \\#"]))
    .map("".join)
    .map(str.strip)
)
NOTE = st.lists(st.one_of(LINE, st.just(""), LINE.map(lambda line: f"      {line}")), max_size=6)


def read_titles(text: str) -> list[str]:
    return [task.title for task in read_tasks("markdown", text.encode())]


def test_write_markdown_of_the_sample_reads_back_equal() -> None:
    source = read_tasks("markdown", (SAMPLES / "markdown/checklist.md").read_bytes())
    text, losses = write_file("markdown", export_tasks(source))
    again = read_tasks("markdown", text.encode())
    assert losses == []
    places = {task.source_id: other.source_id for task, other in zip(source, again, strict=True)}
    for task, other in zip(source, again, strict=True):
        assert (task.title, task.note, task.status, task.project) == (
            other.title,
            other.note,
            other.status,
            other.project,
        )
        assert places.get(task.parent or "") == other.parent


@settings(max_examples=100, deadline=None)
@given(title=LINE, note=NOTE, project=st.lists(LINE.map(lambda text: text.replace(".", "-")), max_size=3))
def test_write_markdown_of_any_text_reads_back_equal(title: str, note: list[str], project: list[str]) -> None:
    body = "\n".join(note).strip("\n") or None
    if body and body.startswith(" "):
        body = f"First\n{body}"
    tasks = [make_exported(1, title=title, note=body, project=".".join(project) or None)]
    tasks += [make_exported(2, title=title, parent=tasks[0], project=tasks[0].project)]
    read = read_tasks("markdown", write_file("markdown", tasks)[0].encode())
    assert [(task.title, task.note) for task in read] == [(title, body), (title, None)]
    assert {task.project for task in read} == {".".join(project) or None}
    assert read[1].parent == read[0].source_id


@pytest.mark.parametrize("title", ["[ ] in brackets", "[x]", "[link](https://example.org)", "# 1", "---", "a [x] b"])
def test_write_markdown_of_a_title_like_markup_reads_back_equal(title: str) -> None:
    assert read_titles(write_file("markdown", [make_exported(1, title=title)])[0]) == [title]


def test_write_markdown_orders_subtasks_below_their_parents_and_projects_behind_none() -> None:
    parent = make_exported(3, title="Parent", project="Home")
    tasks = [make_exported(1, title="Child", parent=parent, project="Home"), parent]
    other = make_exported(4, title="Elsewhere", parent=parent, project="Work", due="2026-12-04", status="done")
    text, losses = write_file("markdown", [*tasks, other, make_exported(5, title="Anywhere")])
    assert text == "- [ ] Anywhere\n\n# Home\n\n- [ ] Parent\n  - [ ] Child\n\n# Work\n\n- [x] Elsewhere\n\n"
    assert [(loss.number, loss.word) for loss in losses] == [(4, "due"), (4, "parent")]


def test_read_markdown_longer_than_a_chunk_gives_every_task_with_its_line() -> None:
    lines = ["# Home", ""]
    for number in range(1_000):
        lines += [f"- [ ] Task {number}", "", f"  Note {number}", f"  - [x] Part of {number}"]
    lines += ["", "```text", *["- [ ] code"] * 3_000, "```", "", "- [ ] Last"]
    assert sum(map(len, lines)) > CHUNK_CHARS
    tasks = read_tasks("markdown", "\n".join(lines).encode())
    assert len(tasks) == 2_001
    assert all(lines[int(task.source_id.removeprefix("line:")) - 1].endswith(task.title) for task in tasks)
    assert all(other.parent == task.source_id for task, other in zip(tasks[:-1:2], tasks[1:-1:2], strict=True))
    assert tasks[-3].note == "Note 999"


def test_read_markdown_nested_beyond_the_limit_reports_it() -> None:
    text = "".join(f"{'  ' * depth}- [ ] Level {depth}\n" for depth in range(MAX_NESTING))
    records = read_records("markdown", text.encode())
    assert [record for record in records if isinstance(record, FileLoss)]
    assert read_titles(text)[:50] == [f"Level {depth}" for depth in range(50)]


def test_read_markdown_of_a_line_beyond_the_limit_refuses_the_line_alone() -> None:
    data = b"- [ ] One\n- [ ] " + b"x" * 2_000_000 + b"\n- [ ] Two\n"
    assert read_until_broken("markdown", data)[0] == ["One", "Two"]
    refused = [record for record in read_records("markdown", data) if isinstance(record, NotATask)]
    assert [(record.place, record.refused) for record in refused] == [("line:2", True)]


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("- [ ] A\n\n  ```sh\n  ls\n  ```\n", "```sh\nls\n```"),
        ("- [ ] A\n\n  # Heading\n", "# Heading"),
        ("- [ ] A\n  - one\n  - two\n\n  After\n", "one\ntwo\n\nAfter"),
        ("- [ ] A\n\n  \\- no bullet\n  1\\. no number\n", "- no bullet\n1. no number"),
        ("- [ ] A\r\n\r\n  One\r\n  two\r\n", "One\ntwo"),
    ],
)
def test_read_markdown_of_blocks_inside_an_item_are_its_note(text: str, note: str) -> None:
    assert [task.note for task in read_tasks("markdown", text.encode())] == [note]
