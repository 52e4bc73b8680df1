"""The JSON of Doist's `td` for Todoist: `td task list --json` and `--ndjson`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from todo_cli.errors import Invalid
from todo_cli.formats.iso_dates import read_iso
from todo_cli.formats.json_items import JsonItem, JsonItems
from todo_cli.formats.names import clean_line, clean_tags
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    FileLoss,
    FileRecord,
    ImportedRepeat,
    ImportedSeries,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
)
from todo_cli.formats.todoist_dates import READ_LANGUAGES, find_zone, read_rule

NAME = "td"
EXTENSIONS = (".json", ".ndjson", ".jsonl")
PRIORITIES = {4: 1, 3: 2, 2: 3, 1: None, None: None}
CARRIED = ("id", "content", "description", "parentId", "addedAt", "completedAt", "checked", "isDeleted", "labels")
EXACT_DUE = ("date", "string", "lang")
"""A due date with nothing but these is carried whole: the words only say the date once more."""
LOST_FIELDS = {
    "sectionId": "section",
    "duration": "duration",
    "isUncompletable": "uncompletable",
    "responsibleUid": "responsible",
}
_RESULTS = re.compile(r'"results"\s*:\s*\[')


def looks_like(head: str, name: str) -> int:
    """Return how sure the text is a list of tasks of `td`: with `content` and `projectId`, alone or under `results`."""
    first = re.split(r"\n\s*\{", head[:4096].strip(), maxsplit=1)[0]
    has_tasks = re.search(r'"content"\s*:', head) and re.search(r'"projectId"\s*:', head)
    is_empty_list = re.match(r'\{\s*"results"\s*:\s*\[\s*\]', first)
    return CERTAIN if first.startswith("{") and (has_tasks or is_empty_list) else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the tasks of a list, or of one task a line."""
    file.seek(0)
    head = file.read(4096).decode("utf-8-sig", "replace").replace("\0", "")
    items = JsonItems(file, options, key="results" if _RESULTS.search(head) else None)
    cursor = None
    for item in items:
        if isinstance(item.value, dict) and item.value.get("_meta"):
            cursor = item.value.get("nextCursor")
        else:
            yield _read_item(item, options)
    cursor = cursor or items.others.get("nextCursor")
    if cursor:
        yield FileLoss(word=f"a next page (cursor {cursor})")
    yield from items.notices()


def _read_item(item: JsonItem, options: ReadOptions) -> ReadTask | NotATask:
    task = item.value
    if not isinstance(task, dict):
        return NotATask(place=item.place, reason="it is no object", refused=True)
    title, task_id = task.get("content"), task.get("id")
    if not isinstance(title, str) or not title.strip():
        return NotATask(place=item.place, reason="it has no content", refused=True)
    if not isinstance(task_id, str | int) or not str(task_id).strip():
        return NotATask(place=item.place, reason="it has no id", title=title, refused=True)
    return ReadTask(task=_read_task(task, str(task_id), clean_line(title), options), place=item.place)


def _read_task(task: dict[str, Any], task_id: str, title: str, options: ReadOptions) -> ImportedTask:
    kept = {
        name: value for name, value in task.items() if value and name not in (*CARRIED, "due", "deadline", "priority")
    }
    lost = [word for name, word in LOST_FIELDS.items() if task.get(name)]
    due, every = _read_due(task.get("due"), options, kept, lost)
    deadline = _read_deadline(task, options, kept, lost)
    labels = task.get("labels") or []
    tags = clean_tags(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else ()
    if list(tags) != labels:
        kept["labels"] = labels
    priority = task.get("priority")
    if not isinstance(priority, int | None) or priority not in PRIORITIES:
        kept["priority"] = priority
        lost.append("priority")
        priority = None
    parent = task.get("parentId")
    is_done = bool(task.get("checked") or task.get("completedAt"))
    return ImportedTask(
        source_id=task_id,
        title=title,
        note=_read_note(task, kept),
        status="deleted" if task.get("isDeleted") else "done" if is_done else "open",
        due=deadline or due,
        scheduled=due if deadline else None,
        priority=PRIORITIES[priority],
        project=_name_project(task.get("projectId"), options.values),
        tags=tags,
        parent=str(parent) if isinstance(parent, str | int) and parent else None,
        every=None if is_done else every,
        series=ImportedSeries(id=task_id, occurrence=1) if every and not is_done else None,
        created_at=_read_instant(task, "addedAt", options, kept),
        completed_at=_read_instant(task, "completedAt", options, kept) if is_done else None,
        kept=kept,
        lost=tuple(lost),
    )


def _read_note(task: dict[str, Any], kept: dict[str, Any]) -> str | None:
    note = task.get("description")
    if note and not isinstance(note, str):
        kept["description"] = note
        return None
    return note if note and note.strip() else None


def _name_project(project_id: Any, values: Mapping[str, Mapping[str, str | int]]) -> str | None:
    """Return the project's name as the import maps it, else its id: the names are not in the file."""
    return str(values.get("project", {}).get(str(project_id), project_id)) if project_id else None


def _read_instant(task: dict[str, Any], name: str, options: ReadOptions, kept: dict[str, Any]) -> str | None:
    text = task.get(name)
    value = read_iso(text, options.zone)
    if text and value is None:
        kept[name] = text
    return value


def _read_due(
    due: Any, options: ReadOptions, kept: dict[str, Any], lost: list[str]
) -> tuple[str | None, ImportedRepeat | None]:
    """Return the date and the rule. Its words are read only if the task recurs, since the date beside them is exact."""
    if not due:
        return None, None
    fields: dict[str, Any] = due if isinstance(due, dict) else {"date": due}
    zone_name = fields.get("timezone")
    zone = find_zone(zone_name if isinstance(zone_name, str) else None, options)
    value = read_iso(fields.get("date"), zone)
    recurs = bool(fields.get("isRecurring"))
    every = _read_every(fields, options) if recurs else None
    others = {name for name, each in fields.items() if each and name not in EXACT_DUE}
    if value is None or others:
        kept["due"] = due
    if value is None or (recurs and every is None):
        lost.append("due")
    return value, every


def _read_every(due: dict[str, Any], options: ReadOptions) -> ImportedRepeat | None:
    words = due.get("string")
    if not isinstance(words, str) or str(due.get("lang") or "") not in READ_LANGUAGES:
        return None
    try:
        return read_rule(words, options.zone, options)
    except Invalid:
        return None


def _read_deadline(task: dict[str, Any], options: ReadOptions, kept: dict[str, Any], lost: list[str]) -> str | None:
    deadline = task.get("deadline")
    text = deadline.get("date") if isinstance(deadline, dict) else deadline
    value = read_iso(text, options.zone)
    if deadline and value is None:
        kept["deadline"] = deadline
        lost.append("deadline")
    return value
