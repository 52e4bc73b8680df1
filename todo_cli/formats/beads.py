"""The JSON Lines of beads (`bd export`): an issue a line."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from todo_cli.formats.beads_writer import NOTE_SECTIONS, write_tasks
from todo_cli.formats.iso_dates import read_iso
from todo_cli.formats.json_items import JsonItem, JsonItems
from todo_cli.formats.names import clean_line, clean_tags, read_member
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    LIKELY,
    BrokenFile,
    FileLoss,
    FileRecord,
    ImportedComment,
    ImportedTask,
    NotATask,
    ReadOptions,
    ReadTask,
)

__all__ = ["EXTENSIONS", "NAME", "looks_like", "read_tasks", "write_tasks"]

NAME = "beads"
EXTENSIONS = (".jsonl",)
PRIORITIES = {0: 1, 1: 1, 2: 2, 3: 3, 4: None}
DERIVED = ("dependency_count", "dependent_count", "comment_count")
CARRIED = ("_type", "id", "title", "description", *NOTE_SECTIONS, *DERIVED, "status", "priority", "labels", "comments")
DATES = ("due_at", "defer_until", "created_at", "started_at", "closed_at")
LOST_STATUSES = ("pinned", "hooked")
_ISSUE = re.compile(r'^\s*\{"_type"\s*:\s*"(?:issue|memory)"|"_type"\s*:\s*"(?:issue|memory)"', re.MULTILINE)
_KEY = re.compile(r'"(id|title|issue_type|priority|updated_at|created_at|dependencies)"\s*:')


def looks_like(head: str, name: str) -> int:
    """Return how sure the text is of beads: an object with `_type`, or a line of an older version without it."""
    first = head.lstrip().partition("\n")[0]
    if not first.startswith("{"):
        return IMPOSSIBLE
    if _ISSUE.search(head):
        return CERTAIN
    keys = set(_KEY.findall(first))
    return LIKELY if {"id", "title", "created_at"} <= keys and keys & {"issue_type", "updated_at"} else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the issues of a file, whose ids are read first: a link to an issue elsewhere has no effect here."""
    ids = _read_ids(file, options)
    items = JsonItems(file, options)
    memories = 0
    for item in items:
        record = _read_item(item, ids, options)
        memories += isinstance(record, NotATask) and record.reason == "memory"
        yield record
    if memories:
        yield FileLoss(word=f"{memories:,} memor{'y' if memories == 1 else 'ies'}")
    yield from items.notices()


def _read_ids(file: BinaryIO, options: ReadOptions) -> set[str]:
    ids = set()
    with suppress(BrokenFile):
        for item in JsonItems(file, options):
            if isinstance(item.value, dict) and isinstance(item.value.get("id"), str):
                ids.add(item.value["id"])
    return ids


def _read_item(item: JsonItem, ids: Container[str], options: ReadOptions) -> ReadTask | NotATask:
    issue, place = item.value, item.place.replace(" ", ":")
    if not isinstance(issue, dict):
        return NotATask(place=place, reason="it is no object", refused=True)
    kind, title, issue_id = issue.get("_type", "issue"), issue.get("title"), issue.get("id")
    if kind != "issue":
        return NotATask(place=place, reason=str(kind)[:40])
    if issue.get("status") == "tombstone":
        return NotATask(place=str(issue_id), reason="tombstone")
    if not isinstance(issue_id, str) or not issue_id.strip():
        return NotATask(
            place=place, reason="it has no id", title=title if isinstance(title, str) else None, refused=True
        )
    if not isinstance(title, str) or not title.strip():
        return NotATask(place=issue_id, reason="it has no title", refused=True)
    return ReadTask(task=_IssueReader(issue, options).read(issue_id, title, ids), place=place)


class _IssueReader:
    """Reads one issue. Fields that no field of ours takes are kept."""

    def __init__(self, issue: dict[str, Any], options: ReadOptions) -> None:
        self._issue = issue
        self._zone = options.zone
        self._kept: dict[str, Any] = {
            name: value
            for name, value in issue.items()
            if name not in (*CARRIED, *DATES, "dependencies") and value not in (None, "", [], {})
        }
        self._lost: dict[str, None] = {}

    def read(self, issue_id: str, title: str, ids: Container[str]) -> ImportedTask:
        """Return the task of the issue; `ids` are those of the file."""
        issue = self._issue
        is_done = issue.get("status") == "closed"
        completed_at = self._read_date("closed_at")
        parent, after = self._read_links(ids)
        self._read_status(is_done, bool(after))
        tags = self._read_labels()
        return ImportedTask(
            source_id=issue_id,
            title=clean_line(title),
            note=self._read_note(),
            status="done" if is_done else "open",
            priority=self._read_priority(),
            tags=tags,
            assigned_to=read_member(issue.get("assignee")),
            parent=parent,
            after=after,
            completed_at=completed_at if is_done else None,
            comments=(*self._read_comments(), *self._read_reason(completed_at if is_done else None)),
            kept=self._kept,
            lost=tuple(self._lost),
            due=self._read_date("due_at"),
            defer=self._read_date("defer_until"),
            created_at=self._read_date("created_at"),
            started_at=None if is_done else self._read_date("started_at"),
        )

    def _read_date(self, name: str) -> str | None:
        text = self._issue.get(name)
        value = read_iso(text, self._zone)
        if text and value is None:
            self._kept[name] = text
            self._lost[name] = None
        return value

    def _read_text(self, name: str) -> str:
        value = self._issue.get(name)
        if value and not isinstance(value, str):
            self._kept[name] = value
            self._lost[name] = None
        return value if isinstance(value, str) else ""

    def _read_note(self) -> str | None:
        parts = [self._read_text("description")]
        parts += [
            f"## {heading}\n\n{text}" for name, heading in NOTE_SECTIONS.items() if (text := self._read_text(name))
        ]
        return "\n\n".join(filter(str.strip, parts)) or None

    def _read_status(self, is_done: bool, has_blockers: bool) -> None:
        status = self._issue.get("status", "open")
        if status != "open" and not is_done:
            self._kept["status"] = status
        if status in LOST_STATUSES:
            self._lost[status] = None
        if status == "blocked" and not has_blockers:
            self._lost["blocked without a task that it waits for"] = None

    def _read_priority(self) -> int | None:
        priority = self._issue.get("priority")
        if priority is not None:
            self._kept["priority"] = priority
        if isinstance(priority, int) and priority in PRIORITIES:
            return PRIORITIES[priority]
        if priority is not None:
            self._lost["priority"] = None
        return None

    def _read_labels(self) -> tuple[str, ...]:
        labels = self._issue.get("labels") or []
        tags = clean_tags(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else ()
        if list(tags) != labels:
            self._kept["labels"] = labels
        return tags

    def _read_links(self, ids: Container[str]) -> tuple[str | None, tuple[str, ...]]:
        """Return the parent and the blockers. The array is kept as it is if any of its links has no effect here."""
        links = self._issue.get("dependencies") or []
        parent: str | None = None
        after: dict[str, None] = {}
        is_complete = isinstance(links, list)
        for link in links if isinstance(links, list) else []:
            kind, other = (link.get("type"), link.get("depends_on_id")) if isinstance(link, dict) else (None, None)
            if isinstance(other, str) and other in ids and kind == "blocks":
                after[other] = None
            elif isinstance(other, str) and other in ids and kind == "parent-child" and parent is None:
                parent = other
            else:
                is_complete = False
                is_elsewhere = kind in ("blocks", "parent-child") and other not in ids
                self._lost[f"{kind} on {other}" if is_elsewhere else str(kind)] = None
        if not is_complete:
            self._kept["dependencies"] = links
        return parent, tuple(after)

    def _read_comments(self) -> Iterator[ImportedComment]:
        comments = self._issue.get("comments") or []
        for comment in comments if isinstance(comments, list) else []:
            text = comment.get("text") if isinstance(comment, dict) else None
            if isinstance(text, str) and text.strip():
                author = comment.get("author")
                at = read_iso(comment.get("created_at"), self._zone)
                yield ImportedComment(at=at, by=author if isinstance(author, str) and author else None, text=text)

    def _read_reason(self, completed_at: str | None) -> Iterator[ImportedComment]:
        reason = self._issue.get("close_reason")
        if isinstance(reason, str) and reason.strip() and self._issue.get("status") == "closed":
            yield ImportedComment(at=completed_at, text=reason)
