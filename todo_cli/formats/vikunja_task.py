"""One task of Vikunja's export. Fields without a counterpart here are kept in a short form."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from todo_cli.formats.html_text import read_html
from todo_cli.formats.iso_dates import read_iso
from todo_cli.formats.names import clean_line, clean_tags, read_member
from todo_cli.formats.records import ImportedComment, ImportedRepeat, ImportedSeries, ImportedTask
from todo_cli.formats.rules import make_rule

PRIORITIES = {0: None, 1: 3, 2: 2, 3: 1, 4: 1, 5: 1}
INEXACT_PRIORITIES = (4, 5)
NO_DATE = "0001-01-01"
SECONDS_PER_DAY, DAYS_PER_WEEK = 86_400, 7
EVERY_MONTH, FROM_DONE = 1, 2
CARRIED_KINDS = ("subtask", "parenttask", "blocking", "blocked")
READ_FIELDS = (
    "id", "title", "description", "done", "done_at", "due_date", "start_date", "end_date", "project_id", "repeat_after",
    "repeat_mode", "priority", "labels", "comments", "related_tasks", "assignees", "attachments", "index", "bucket_id",
    "created", "created_by", "deleted_at", "buckets", "bucket",
)  # fmt: skip  # a list of words
LOST_FIELDS = (
    "reminders", "attachments", "end_date", "percent_done", "bucket", "is_favorite", "position", "repeat_after",
)  # fmt: skip  # a list of words


class TaskReader:
    """Reads one task of the file; `task` is its object."""

    def __init__(self, task: dict[str, Any], zone: ZoneInfo) -> None:
        self._task = task
        self._zone = zone
        self._kept: dict[str, Any] = {}
        self._lost: dict[str, None] = {}

    def read(
        self, *, project: str | None, bucket: str | None, parent: str | None, blockers: Iterable[str]
    ) -> ImportedTask:
        """Return the task; the parent and the blockers are those that name this task as theirs."""
        task, task_id = self._task, str(self._task["id"])
        is_deleted = self._read_date("deleted_at") is not None
        is_done = bool(task.get("done"))
        self._keep_others(bucket)
        parent, after = self._read_links(parent, blockers)
        every = None if is_done else self._read_repeat()
        note = self._read_note()
        tags = self._read_labels()
        for name in LOST_FIELDS:
            if name in self._kept and not (name == "repeat_after" and is_done):
                self._lost[name] = None
        return ImportedTask(
            source_id=task_id,
            title=clean_line(str(task["title"])),
            note=note,
            status="deleted" if is_deleted else "done" if is_done else "open",
            due=self._read_date("due_date"),
            scheduled=self._read_date("start_date"),
            priority=self._read_priority(),
            project=project,
            tags=tags,
            assigned_to=self._read_assignee(),
            parent=parent,
            after=after,
            every=every,
            series=ImportedSeries(id=task_id, occurrence=1) if every else None,
            created_at=self._read_date("created"),
            completed_at=self._read_date("done_at") if is_done else None,
            deleted_at=self._read_date("deleted_at"),
            comments=tuple(self._read_comments()),
            kept=self._kept,
            lost=tuple(self._lost),
        )

    def _read_date(self, name: str) -> str | None:
        text = self._task.get(name)
        if not text or str(text).startswith(NO_DATE):
            return None
        value = read_iso(text, self._zone)
        if value is None:
            self._kept[name] = text
            self._lost[name] = None
        return value

    def _keep_others(self, bucket: str | None) -> None:
        """Keep what no field takes: fields with a value, and people, files and dates in a short form."""
        task = self._task
        end = task.get("end_date")
        short = {
            "assignees": [person.get("username") for person in _dicts(task.get("assignees"))],
            "attachments": [_describe_file(attachment) for attachment in _dicts(task.get("attachments"))],
            "end_date": None if str(end).startswith(NO_DATE) else end,
            "bucket": bucket,
        }
        others = {name: value for name, value in task.items() if name not in READ_FIELDS}
        self._kept |= {name: value for name, value in (others | short).items() if value}

    def _read_assignee(self) -> str | None:
        """Return the first assignee; the others are kept without effect."""
        names = self._kept.get("assignees") or [None]
        if len(names) > 1:
            self._lost["assignees"] = None
        return read_member(names[0])

    def _read_note(self) -> str | None:
        html = self._task.get("description")
        if not isinstance(html, str) or not html.strip():
            return None
        note = read_html(html)
        if note != html:
            self._kept["description"] = html
        return note or None

    def _read_labels(self) -> tuple[str, ...]:
        titles = [str(label.get("title") or "") for label in _dicts(self._task.get("labels"))]
        tags = clean_tags(titles)
        if list(tags) != titles:
            self._kept["labels"] = titles
        return tags

    def _read_priority(self) -> int | None:
        number = self._task.get("priority") or 0
        if not isinstance(number, int) or number not in PRIORITIES:
            self._kept["priority"] = number
            self._lost["priority"] = None
            return None
        if number in INEXACT_PRIORITIES:
            self._kept["priority"] = number
        return PRIORITIES[number]

    def _read_links(self, parent: str | None, blockers: Iterable[str]) -> tuple[str | None, tuple[str, ...]]:
        related = self._task.get("related_tasks")
        links = {kind: _ids(tasks) for kind, tasks in related.items()} if isinstance(related, dict) else {}
        parents = links.get("parenttask", [])
        for kind, ids in (links | {"parenttask": parents[1:]}).items():
            if ids and (kind not in CARRIED_KINDS or kind == "parenttask"):
                self._kept[kind] = ids
                self._lost[kind] = None
        after = dict.fromkeys([*links.get("blocked", []), *blockers])
        return (parents[0] if parents else parent), tuple(after)

    def _read_repeat(self) -> ImportedRepeat | None:
        """Return the rule: a number of seconds, or every month. Seconds that are no whole days have no effect here."""
        mode, seconds = self._task.get("repeat_mode"), self._task.get("repeat_after")
        if mode == EVERY_MONTH:
            return ImportedRepeat(rule="FREQ=MONTHLY")
        if not seconds:
            return None
        days = seconds // SECONDS_PER_DAY if isinstance(seconds, int) else 0
        is_weekly = days % DAYS_PER_WEEK == 0
        rule = make_rule("WEEKLY", days // DAYS_PER_WEEK) if is_weekly else make_rule("DAILY", days)
        if rule is None or days * SECONDS_PER_DAY != seconds:
            self._kept["repeat_after"] = seconds
            self._kept |= {"repeat_mode": mode} if mode else {}
            return None
        return ImportedRepeat(rule=rule, from_done=mode == FROM_DONE)

    def _read_comments(self) -> Iterable[ImportedComment]:
        for comment in _dicts(self._task.get("comments")):
            html, author = comment.get("comment"), comment.get("author")
            text = read_html(html) if isinstance(html, str) else ""
            name = author.get("username") if isinstance(author, dict) else None
            if text:
                by = name if isinstance(name, str) and name else None
                yield ImportedComment(at=read_iso(comment.get("created"), self._zone), by=by, text=text)


def _describe_file(attachment: dict[str, Any]) -> dict[str, Any]:
    file = attachment.get("file")
    return {name: file.get(name) for name in ("name", "mime", "size")} if isinstance(file, dict) else {}


def _ids(tasks: Any) -> list[str]:
    return [str(task["id"]) for task in _dicts(tasks) if "id" in task]


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
