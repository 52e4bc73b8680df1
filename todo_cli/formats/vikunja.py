"""Vikunja's export of a user: `data.json`, or the archive with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO

from msgspec import Struct

from todo_cli.formats.detect import ARCHIVE_START
from todo_cli.formats.names import join_project
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    LIKELY,
    BrokenFile,
    FileLoss,
    FileRecord,
    NotATask,
    ReadOptions,
    ReadTask,
)
from todo_cli.formats.vikunja_file import ProjectField, ProjectReader, ProjectTask, open_export
from todo_cli.formats.vikunja_task import TaskReader

NAME = "vikunja"
EXTENSIONS = (".json", ".zip")
INVERSE_KINDS = ("subtask", "blocking")
_PROJECT_FIELD = re.compile(r'"(?:parent_project_id|hex_color|is_archived|background_file_id)"\s*:')
_TASK_FIELD = re.compile(r'"(?:related_tasks|repeat_after|percent_done)"\s*:')


def looks_like(head: str, name: str) -> int:
    """Return how sure the text is an export of Vikunja: projects with their parents and tasks, or the archive."""
    if head.startswith(ARCHIVE_START):
        return LIKELY  # another format may know the archive better
    is_list = head.lstrip().startswith("[")
    return CERTAIN if is_list and (_PROJECT_FIELD.search(head) or _TASK_FIELD.search(head)) else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the tasks of all projects. Links are gathered first: Vikunja names them on either side."""
    with open_export(file) as export:
        facts = _scan_export(export.data, options)
        projects = facts.name_projects()
        reader = ProjectReader(export.data, options)
        for event in reader:
            if isinstance(event, ProjectTask):
                yield _read_task(event, projects[event.project], facts, options)
            elif not event.name:
                yield NotATask(place=f"project {event.project + 1}", reason="it is no object", refused=True)
        for number, project in sorted(facts.projects.items()):
            if project.get("is_archived"):
                yield FileLoss(word=f"project {projects[number]} is archived")
        if export.saved_filters:
            yield FileLoss(word=f"{export.saved_filters} saved filter{'s' if export.saved_filters > 1 else ''}")
        yield from reader.notices()


class _ExportFacts(Struct):
    """What must be known of the whole file before its first task: projects, buckets, and links seen from afar."""

    projects: dict[int, dict[str, Any]] = {}
    buckets: dict[str, str] = {}
    parents: dict[str, str] = {}
    blockers: dict[str, list[str]] = {}

    def name_projects(self) -> dict[int, str | None]:
        """Return the name of each project with those of the projects around it."""
        by_id = {project.get("id"): project for project in self.projects.values()}
        return {number: self._name(project, by_id) for number, project in self.projects.items()}

    def _name(self, project: dict[str, Any], by_id: dict[Any, dict[str, Any]]) -> str | None:
        titles: list[str] = []
        seen: list[int] = []
        step: dict[str, Any] | None = project
        while step is not None and id(step) not in seen:  # a circle of projects ends where it closes
            seen.append(id(step))
            titles.insert(0, str(step.get("title") or ""))
            step = by_id.get(step.get("parent_project_id"))
        return join_project(titles)


def _scan_export(data: BinaryIO, options: ReadOptions) -> _ExportFacts:
    facts = _ExportFacts()
    with suppress(BrokenFile):
        for event in ProjectReader(data, options):
            project = facts.projects.setdefault(event.project, {})
            if isinstance(event, ProjectField):
                _add_field(event, project)
            else:
                _add_links(event.item.value, facts)
    for project in facts.projects.values():
        titles = {bucket.get("id"): str(bucket.get("title") or "") for bucket in _dicts(project.pop("buckets", None))}
        for entry in _dicts(project.pop("task_buckets", None)):
            if title := titles.get(entry.get("bucket_id")):
                facts.buckets.setdefault(str(entry.get("task_id")), title)
    return facts


def _add_field(field: ProjectField, project: dict[str, Any]) -> None:
    if field.name in ("id", "title", "parent_project_id", "is_archived", "buckets", "task_buckets"):
        is_hashable = not isinstance(field.value, dict | list) or "buckets" in field.name
        project[field.name] = field.value if is_hashable else None


def _add_links(task: Any, facts: _ExportFacts) -> None:
    """Remember the subtasks and the blocked tasks that a task names."""
    if not isinstance(task, dict) or not isinstance(related := task.get("related_tasks"), dict):
        return
    for kind in INVERSE_KINDS:
        for other in _dicts(related.get(kind)):
            other_id, own_id = str(other.get("id")), str(task.get("id"))
            if kind == "subtask":
                facts.parents.setdefault(other_id, own_id)
            else:
                facts.blockers.setdefault(other_id, []).append(own_id)


def _read_task(event: ProjectTask, project: str | None, facts: _ExportFacts, options: ReadOptions) -> FileRecord:
    task, place = event.item.value, event.item.place
    if not isinstance(task, dict):
        return NotATask(place=place, reason="it is no object", refused=True)
    title, task_id = task.get("title"), task.get("id")
    if not isinstance(title, str) or not title.strip():
        return NotATask(place=place, reason="it has no title", refused=True)
    if not isinstance(task_id, int | str) or not str(task_id).strip():
        return NotATask(place=place, reason="it has no id", title=title, refused=True)
    own_id = str(task_id)
    reader = TaskReader(task, options.zone)
    read = reader.read(
        project=project,
        bucket=facts.buckets.get(own_id),
        parent=facts.parents.get(own_id),
        blockers=facts.blockers.get(own_id, []),
    )
    return ReadTask(task=read, place=place)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
