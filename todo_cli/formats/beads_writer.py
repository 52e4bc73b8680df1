"""Tasks as the JSON Lines of beads. A kept value is written as it was, while it still means the task's field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from todo_cli.formats.moments import first_moment, format_instant
from todo_cli.formats.names import clean_tags
from todo_cli.formats.records import ExportedTask, ImportedComment, TaskReference, WriteLoss, WriteOptions, own_identity

NOTE_SECTIONS = {"design": "Design", "acceptance_criteria": "Acceptance criteria", "notes": "Notes"}
"""Texts of an issue that follow its description in the note, each under its heading."""
PRIORITIES: dict[int | None, tuple[int, ...]] = {1: (1, 0), 2: (2,), 3: (3,), None: (4,)}
"""The numbers that mean each priority, the usual one first."""


def write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
    """Write an issue a line. Deleted tasks are left out: beads has no bin."""
    for task in tasks:
        if task.status == "deleted":
            yield WriteLoss(number=task.number, word="status")
            continue
        issue = {
            name: value for name, value in _format_issue(task, options.zone).items() if value not in (None, "", [])
        }
        file.write(json.dumps(issue, ensure_ascii=False, separators=(",", ":")) + "\n")
        yield from _find_losses(task)


def _identify(task: ExportedTask | TaskReference) -> str:
    """Return the id of beads: the source's own, else one in the form of beads."""
    return own_identity(task.source_id) or f"todo-{task.number}"


def _format_issue(task: ExportedTask, zone: ZoneInfo) -> dict[str, Any]:
    kept = task.kept
    is_done = task.status == "done"
    others = {name: value for name, value in kept.items() if name not in ("labels", "dependencies", "close_reason")}
    return {
        "_type": "issue",
        "id": _identify(task),
        "title": task.title,
        **_split_note(task.note or ""),
        "issue_type": None if kept else "task",
        "created_at": _format_instant(task.created_at, zone),
        "updated_at": _format_instant(task.updated_at, zone),
        **others,
        "assignee": task.assigned_to or kept.get("assignee"),
        "status": "closed" if is_done else _choose_status(task),
        "priority": _choose_priority(task),
        "labels": _choose_labels(task),
        "due_at": _format_instant(task.due, zone),
        "defer_until": _format_instant(task.defer, zone),
        "started_at": _format_instant(task.started_at, zone),
        "closed_at": _format_instant(task.completed_at, zone) if is_done else None,
        "close_reason": kept.get("close_reason") if is_done else None,
        "dependencies": _format_links(task, zone),
        "comments": [
            _format_comment(task, comment, zone) for comment in task.comments if not _is_reason(task, comment)
        ],
    }


def _format_instant(text: str | None, zone: ZoneInfo) -> str | None:
    return format_instant(first_moment(text, zone)) if text else None


def _split_note(note: str) -> dict[str, str]:
    """Return the description and the texts under the headings that follow it."""
    sections = {}
    for name, heading in reversed(NOTE_SECTIONS.items()):
        before, found, text = f"\n\n{note}".rpartition(f"\n\n## {heading}\n\n")
        if found:
            note, sections[name] = before.removeprefix("\n\n"), text
    return {"description": note, **dict(reversed(sections.items()))}


def _choose_status(task: ExportedTask) -> Any:
    if "status" in task.kept:
        return task.kept["status"]
    return "in_progress" if task.started_at else "open"


def _choose_priority(task: ExportedTask) -> Any:
    numbers = PRIORITIES[task.priority]
    if "priority" in task.kept:
        kept = task.kept["priority"]
        return kept if kept in numbers else numbers[0]
    return None if task.kept and task.priority is None else numbers[0]


def _choose_labels(task: ExportedTask) -> list[str]:
    kept = task.kept.get("labels")
    labels = [label for label in kept if isinstance(label, str)] if isinstance(kept, list) else []
    return labels if labels and sorted(clean_tags(labels)) == sorted(task.tags) else list(task.tags)


def _format_links(task: ExportedTask, zone: ZoneInfo) -> list[dict[str, Any]]:
    """Return the links of the task. Kept ones to issues that are no tasks here stay."""
    parent = _identify(task.parent) if task.parent else task.left_out.get("parent")
    blockers = [*map(_identify, task.after), *task.left_out.get("after", ())]
    wanted: dict[tuple[Any, Any], None] = {(parent, "parent-child"): None} if parent else {}
    wanted |= {(blocker, "blocks"): None for blocker in blockers}
    array = task.kept.get("dependencies")
    kept = [link for link in array if isinstance(link, dict)] if isinstance(array, list) else []
    for link in kept:
        wanted.pop((link.get("depends_on_id"), link.get("type")), None)
    origin = {"created_at": _format_instant(task.created_at, zone)}
    origin |= {"created_by": task.kept["created_by"]} if "created_by" in task.kept else {}
    own = [{"issue_id": _identify(task), "depends_on_id": other, "type": kind, **origin} for other, kind in wanted]
    return [*kept, *own]


def _is_reason(task: ExportedTask, comment: ImportedComment) -> bool:
    """Return whether a comment is the reason for which the issue was closed, which has a field of its own."""
    return task.status == "done" and comment.by is None and comment.text == task.kept.get("close_reason")


def _format_comment(task: ExportedTask, comment: ImportedComment, zone: ZoneInfo) -> dict[str, Any]:
    at = _format_instant(comment.at or task.updated_at, zone)
    return {"issue_id": _identify(task), "author": comment.by or "", "text": comment.text, "created_at": at}


def _find_losses(task: ExportedTask) -> Iterator[WriteLoss]:
    losses = {
        "scheduled": task.scheduled,
        "project": task.project,
        "every": task.every,
        "tracked": task.tracked,
        "due": task.due and "T" not in task.due,
        "defer": task.defer and "T" not in task.defer,
    }
    for word, is_lost in losses.items():
        if is_lost:
            yield WriteLoss(number=task.number, word=word)
