"""Todoist's CSV: the export or the template of one project, with a row for each task, section and comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO, NamedTuple

from msgspec.structs import replace

from todo_cli.formats.csv_rows import read_rows, split_header
from todo_cli.formats.names import clean_line, clean_tags, join_project, name_file_project, read_member
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    BrokenFile,
    FileLoss,
    FileRecord,
    ImportedComment,
    ImportedRepeat,
    ImportedSeries,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
)
from todo_cli.formats.text_lines import TextLines
from todo_cli.formats.todoist_dates import find_zone, read_date

NAME = "todoist-csv"
EXTENSIONS = (".csv",)
PRIORITIES = {"1": 1, "2": 2, "3": 3, "4": None, "": None}
KEPT_COLUMNS = ("AUTHOR", "RESPONSIBLE", "DATE_LANG", "TIMEZONE", "DURATION", "DURATION_UNIT", "DEADLINE_LANG")
READ_COLUMNS = ("TYPE", "CONTENT", "DESCRIPTION", "PRIORITY", "INDENT", "DATE", "DEADLINE", "META", "IS_COLLAPSED")
_EXPORT_NUMBER = re.compile(r" \[\d+\]$")
_USER_NUMBER = re.compile(r"\s*\(\d+\)\s*$")
_LABEL = re.compile(r"(?<!\S)@(\S+)")
_LAST_LABEL = re.compile(r"(?:^|\s+)@\S+\s*$")
_ATTACHMENT = re.compile(r"\[\[file \{")


def looks_like(head: str, name: str) -> int:
    """Return how sure the text is Todoist's: its header has the columns TYPE and CONTENT."""
    columns = {column.upper() for column in split_header(head)}
    return CERTAIN if {"TYPE", "CONTENT"} <= columns else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the tasks of the project, each with the comments that follow it."""
    lines = TextLines(file, options)
    rows = read_rows(lines)
    _, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    reader = _TodoistRows(options)
    try:
        for number, cells in rows:
            if len(cells) > len(names):
                yield NotATask(place=f"row:{number}", reason="it has more cells than the header", refused=True)
            elif any(cells):
                yield from reader.read(f"row:{number}", dict(zip(names, cells, strict=False)))
    except BrokenFile:
        yield from reader.finish()  # the last whole task waits for comments
        raise
    yield from reader.finish()
    yield from lines.notices()


class _Dates(NamedTuple):
    """The dates of a row, and what is kept and lost of its columns."""

    due: str | None
    scheduled: str | None
    every: ImportedRepeat | None
    kept: dict[str, Any]
    lost: list[str]


class _TodoistRows:
    """Reads rows into tasks. A task waits for the comments behind it."""

    def __init__(self, options: ReadOptions) -> None:
        self._options = options
        self._project = _EXPORT_NUMBER.sub("", name_file_project(options.name) or "")
        self._section: str | None = None
        self._above: list[tuple[int, str]] = []
        self._task: ReadTask | None = None
        self._losses: dict[str, None] = {}

    def read(self, place: str, cells: dict[str, str]) -> Iterator[FileRecord]:
        kind = cells.get("TYPE", "").strip().lower()
        if kind == "note":
            yield from self._read_comment(place, cells)
            return
        yield from self._release()
        if kind == "task":
            yield from self._read_task(place, cells)
        elif kind == "section":
            self._section, self._above = cells.get("CONTENT", "").strip() or None, []
            yield NotATask(place=place, reason="section")
        elif kind == "meta":
            self._losses[cells.get("CONTENT", "").partition("=")[0].strip() or "meta"] = None
            yield NotATask(place=place, reason="meta")
        else:
            yield NotATask(place=place, reason=f"the type {kind[:40]!r} is not known", refused=True)

    def finish(self) -> Iterator[FileRecord]:
        yield from self._release()
        for word in sorted(self._losses):
            yield FileLoss(word=word)

    def _release(self) -> Iterator[ReadTask]:
        if self._task:
            yield self._task
        self._task = None

    def _read_comment(self, place: str, cells: dict[str, str]) -> Iterator[NotATask]:
        text, author = cells.get("CONTENT", "").strip(), cells.get("AUTHOR", "").strip() or None
        if not self._task:
            self._losses["comment on the project"] = None
            yield NotATask(place=place, reason="comment on the project")
        elif text:
            task, comment = self._task.task, ImportedComment(by=author, text=text)
            lost = ("attachment",) if _ATTACHMENT.search(text) and "attachment" not in task.lost else ()
            task = replace(task, comments=(*task.comments, comment), lost=(*task.lost, *lost))
            self._task = replace(self._task, task=task)

    def _read_task(self, place: str, cells: dict[str, str]) -> Iterator[NotATask]:
        is_uncompletable = cells.get("CONTENT", "").startswith("* ")
        content = cells.get("CONTENT", "").removeprefix("* ").strip()
        if not content:
            yield NotATask(place=place, reason="it has no CONTENT", refused=True)
            return
        names = _LABEL.findall(content)
        tags = clean_tags(names)
        dates = self._read_dates(cells)
        kept = dates.kept
        kept |= {"uncompletable": True} if is_uncompletable else {}
        kept |= {"labels": names} if list(tags) != list(dict.fromkeys(names)) else {}
        kept |= {"section": self._section} if self._section else {}
        words = {
            "duration": cells.get("DURATION"),
            "uncompletable": is_uncompletable,
            "priority": cells.get("PRIORITY", "").strip() not in PRIORITIES,
        }
        task = ImportedTask(
            source_id=place,
            title=_cut_labels(clean_line(content)),
            note=cells.get("DESCRIPTION", "").strip() or None,
            due=dates.due,
            scheduled=dates.scheduled,
            priority=PRIORITIES.get(cells.get("PRIORITY", "").strip()),
            project=self._name_project(),
            tags=tags,
            assigned_to=read_member(_USER_NUMBER.sub("", cells.get("RESPONSIBLE", ""))),
            parent=self._find_parent(cells.get("INDENT", ""), place),
            every=dates.every,
            series=ImportedSeries(id=place, occurrence=1) if dates.every else None,
            kept=kept,
            lost=(*dates.lost, *(word for word, is_lost in words.items() if is_lost)),
        )
        self._task = ReadTask(task=task, place=place)

    def _name_project(self) -> str | None:
        section = join_project([self._section or ""])
        return ".".join(filter(None, [self._project, section])) or None

    def _read_dates(self, cells: dict[str, str]) -> _Dates:
        zone = find_zone(cells.get("TIMEZONE"), self._options)
        date = read_date(cells.get("DATE", ""), cells.get("DATE_LANG", ""), zone, self._options)
        deadline = read_date(cells.get("DEADLINE", ""), cells.get("DEADLINE_LANG", ""), zone, self._options)
        others = [name for name in cells if name.upper() not in (*READ_COLUMNS, *KEPT_COLUMNS)]
        kept: dict[str, Any] = {name: cells[name] for name in (*KEPT_COLUMNS, *others) if cells.get(name)}
        lost = []
        for name, read in {"DATE": date, "DEADLINE": deadline}.items():
            text = cells.get(name, "").strip()
            if text and (read.value is None or not read.is_iso):
                kept[name] = text
            if text and read.value is None:
                lost.append(name.lower())
        scheduled = date.value if deadline.value else None
        return _Dates(deadline.value or date.value, scheduled, date.every, kept, lost)

    def _find_parent(self, indent: str, place: str) -> str | None:
        """Return the nearest task above in this section that is indented less, and add this one below it."""
        depth = int(indent) if re.fullmatch("[0-9]{1,3}", indent.strip()) else 1
        while self._above and self._above[-1][0] >= depth:
            self._above.pop()
        parent = self._above[-1][1] if self._above else None
        self._above.append((depth, place))
        return parent


def _cut_labels(title: str) -> str:
    """Return the title without the labels that are its last words; a title of labels only stays as it is."""
    cut = title
    while match := _LAST_LABEL.search(cut):
        cut = cut[: match.start()]
    return cut.strip() or title
