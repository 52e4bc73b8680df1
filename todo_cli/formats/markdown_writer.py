"""Tasks as check lists: a heading and a list for each project, two blanks a level, notes as indented paragraphs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, TextIO

from todo_cli.formats.records import ExportedTask, WriteLoss, WriteOptions

GROUPED_BY_PROJECT = True
MAX_BODY_CHARS_IN_MEMORY = 4 * 1024 * 1024
MAX_HEADING_DEPTH = 6
INDENT = "  "
CODE_INDENT = 4
_BLOCK_START = re.compile(r"[-+*#>`~|=_<\[\\:]")
_NUMBER = re.compile(r"(\d{1,9})([.)])")
_ESCAPED_START = re.compile(r"^([ \t]*)\\(?=[-+*#>`~|=_<\[\\:])", re.MULTILINE)
_ESCAPED_NUMBER = re.compile(r"^([ \t]*\d{1,9})\\(?=[.)])", re.MULTILINE)
_CLOSING_MARKS = re.compile(r"(?:(?<=\s)|^)(\\*#+)$")
_ESCAPED_MARKS = re.compile(r"(?:(?<=\s)|^)\\(\\*#+)$")


def write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
    """Write the lists of all projects. The tasks of one project are in memory together, to stand below their parents.

    The list without a project comes first, since no heading could end the one above. The others wait for it in a
    temporary file. Deleted tasks are left out.
    """
    above: list[str] = []
    with SpooledTemporaryFile(MAX_BODY_CHARS_IN_MEMORY, "w+", encoding="utf-8", newline="") as body:
        for project, group in groupby(tasks, key=lambda task: task.project):
            written = []
            for task in group:
                yield from _find_losses(task)
                if task.status != "deleted":
                    written.append(task)
            numbers = {task.number for task in written}
            roots = [task for task in written if not task.parent or task.parent.number not in numbers]
            yield from (WriteLoss(number=task.number, word="parent") for task in roots if task.parent)
            if written:
                parts = _split_project(project)
                body.writelines(_format_headings(parts, above))
                above = parts or above
                _write_list(written, roots, body if parts else file)
        body.seek(0)
        copyfileobj(body, file)


def _write_list(tasks: list[ExportedTask], roots: list[ExportedTask], file: IO[str]) -> None:
    subtasks: dict[int, list[ExportedTask]] = {}
    for task in tasks:
        if task.parent:
            subtasks.setdefault(task.parent.number, []).append(task)
    waiting = [(0, task) for task in reversed(roots)]
    while waiting:
        depth, task = waiting.pop()
        file.write(_format_item(task, INDENT * depth))
        waiting.extend((depth + 1, subtask) for subtask in reversed(subtasks.get(task.number, [])))
    file.write("\n")


def _split_project(project: str | None) -> list[str]:
    parts = [part for part in project.split(".") if part.strip()] if project else []
    return [*parts[: MAX_HEADING_DEPTH - 1], *filter(None, [".".join(parts[MAX_HEADING_DEPTH - 1 :])])]


def _format_headings(parts: list[str], above: list[str]) -> Iterator[str]:
    """Yield the headings from the first part that differs from the headings above, and the last one in any case."""
    shared = 0
    while shared < min(len(parts) - 1, len(above)) and parts[shared] == above[shared]:
        shared += 1
    for depth, part in enumerate(parts[shared:], shared + 1):
        yield f"{'#' * depth} {escape_heading(part)}\n\n"


def escape_heading(text: str) -> str:
    """Return the text of a heading, whose last number signs would close it."""
    return _CLOSING_MARKS.sub(r"\\\1", text.strip())


def unescape_heading(text: str) -> str:
    """Return what `escape_heading` was given."""
    return _ESCAPED_MARKS.sub(r"\1", text)


def _format_item(task: ExportedTask, indent: str) -> str:
    box = "[x]" if task.status == "done" else "[ ]"
    item = f"{indent}- {box} {' '.join(task.title.splitlines())}\n"
    note = (task.note or "").strip("\n")
    if not note.strip():
        return item
    lines = (f"{indent}{INDENT}{line}" if line.strip() else "" for line in _escape_note(note))
    return item + "\n" + "\n".join(lines) + "\n"


def _escape_note(note: str) -> Iterator[str]:
    """Yield the lines of a note, with a backslash before each start of a block, which would not be read as text.

    Lines that are code need none: they are indented and follow a blank line or other code.
    """
    is_code, is_after_blank = False, True
    for line in note.split("\n"):
        text = line.lstrip(" ")
        is_code = (is_code and not text) or ((is_code or is_after_blank) and len(line) - len(text) >= CODE_INDENT)
        is_after_blank = not text.strip()
        yield line if is_code else f"{line[: len(line) - len(text)]}{_escape_start(text)}"


def _escape_start(text: str) -> str:
    if _BLOCK_START.match(text):
        return f"\\{text}"
    return _NUMBER.sub(r"\1\\\2", text, count=1) if _NUMBER.match(text) else text


def unescape_note(text: str) -> str:
    """Return the lines of a paragraph without the backslashes before starts of blocks."""
    return _ESCAPED_NUMBER.sub(r"\1", _ESCAPED_START.sub(r"\1", text))


def _find_losses(task: ExportedTask) -> Iterator[WriteLoss]:
    losses = {
        "status": task.status == "deleted",
        "due": task.due,
        "scheduled": task.scheduled,
        "defer": task.defer,
        "priority": task.priority,
        "project": len((task.project or "").split(".")) > MAX_HEADING_DEPTH,
        "tags": task.tags,
        "after": task.after,
        "every": task.every,
        "started_at": task.started_at,
        "tracked": task.tracked,
        "assigned_to": task.assigned_to,
        "comments": task.comments,
    }
    for word, is_lost in losses.items():
        if is_lost:
            yield WriteLoss(number=task.number, word=word)
