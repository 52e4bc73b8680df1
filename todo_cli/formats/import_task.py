"""A neutral record as the task that is sent: limits, characters that cannot be stored, and the record's identity."""

from __future__ import annotations

import json
from hashlib import md5
from typing import Any

import msgspec
from msgspec.structs import replace

from todo_cli.contract.codec import convert_request
from todo_cli.contract.imported_tasks import ImportedTask, own_identity
from todo_cli.contract.imports import SourceReferences, TaskToImport
from todo_cli.contract.limits import (
    MAX_COMMENT_CHARS,
    MAX_NAME_CHARS,
    MAX_NOTE_CHARS,
    MAX_TAG_CHARS,
    MAX_TAGS_PER_TASK,
    MAX_TITLE_CHARS,
)
from todo_cli.errors import Invalid
from todo_cli.formats.records import OwnFields, ReadTask

MAX_TASK_BYTES = 1_000_000
"""A task with its note, its comments and its kept values."""
SHORTENED = "shortened"
"""The kept value that has the whole texts of a task that was cut."""


class RecordIdentity:
    """The ids under which tasks are stored: the file's own, else one by the title.

    The place of a line changes when another line is inserted before it. So a task without an id of its own is known by
    its title within `title_scope`, and equal titles by their order.
    """

    def __init__(self, title_scope: str) -> None:
        self._title_scope = title_scope
        self._counts: dict[bytes, int] = {}
        self._by_place: dict[str, str] = {}

    def name(self, task: ImportedTask) -> str:
        """Return the id of a task, and remember it for references."""
        if own_identity(task.source_id):
            return task.source_id
        digest = md5(f"{self._title_scope}{task.title.strip()}".encode(errors="replace"), usedforsecurity=False)
        count = self._counts.get(digest.digest(), 0) + 1
        self._counts[digest.digest()] = count
        name = f"{task.source_id.partition(':')[0]}:{digest.hexdigest()[:16]}:{count}"
        self._by_place[task.source_id] = name
        return name

    def find(self, source_id: str) -> str:
        """Return the id of a task that another one names, once all tasks are named."""
        return self._by_place.get(source_id, source_id)


def shorten_task(task: ImportedTask) -> ImportedTask:
    """Cut texts that are too long; the kept values get the whole ones."""
    texts = {"title": MAX_TITLE_CHARS, "note": MAX_NOTE_CHARS, "project": MAX_NAME_CHARS}
    whole: dict[str, Any] = {
        name: getattr(task, name) for name, limit in texts.items() if len(getattr(task, name) or "") > limit
    }
    cut: dict[str, Any] = {name: value[: texts[name]] for name, value in whole.items()}
    tags = tuple(tag[:MAX_TAG_CHARS] for tag in task.tags[:MAX_TAGS_PER_TASK])
    if tags != task.tags:
        whole["tags"], cut["tags"] = task.tags, tags
    comments = tuple(replace(comment, text=comment.text[:MAX_COMMENT_CHARS]) for comment in task.comments)
    if comments != task.comments:
        whole["comments"], cut["comments"] = [comment.text for comment in task.comments], comments
    return replace(task, kept={**task.kept, SHORTENED: whole}, **cut) if whole else task


def make_task(record: ReadTask, source_id: str, into: str | None = None) -> TaskToImport:
    """Return the task to send, without its links; raises Invalid with the limit that it exceeds."""
    task, own = record.task, record.own or OwnFields()
    fields = msgspec.to_builtins(task)
    for name in ("parent", "after", "every", "kept", "lost"):
        fields.pop(name)
    project = ".".join(name for name in (into, task.project) if name) or None
    source = own.source
    fields |= {
        "source_id": source_id,
        "title": task.title.strip(),
        "project": project,
        "repeat": _make_repeat(task, own),
        "kept": _encode_kept(task.kept),
        "remind": msgspec.to_builtins(own.remind),
        "moved": own.moved,
        "digest": "0" * 32,
    }
    if source:
        series = {"id": source.series, "occurrence": task.series.occurrence} if source.series and task.series else None
        fields |= {"kept_format": source.format, "kept_id": source.id, "series": series or fields["series"]}
        fields["left_out"] = source.left_out or None
    _raise_for_characters(fields)
    task_to_import = convert_request(fields, TaskToImport)
    encoded = msgspec.json.encode([task_to_import, task.parent, task.after])
    if len(encoded) > MAX_TASK_BYTES:
        raise Invalid(f"the task is larger than {MAX_TASK_BYTES:,} bytes with its comments and kept values")
    return replace(task_to_import, digest=md5(encoded, usedforsecurity=False).hexdigest())


def _make_repeat(task: ImportedTask, own: OwnFields) -> dict[str, Any] | None:
    if task.every is None:
        return None
    names = ("zone", "anchor", "slot")
    repeat = {name: own.repeat[name] for name in names if own.repeat.get(name)} if own.repeat else {}
    if own.repeat and own.repeat.get("template"):
        repeat["template"] = json.dumps(own.repeat["template"])
    return {"rule": task.every.rule, "from_done": task.every.from_done, **repeat}


def _raise_for_characters(fields: dict[str, Any]) -> None:
    if len(fields["title"].splitlines()) > 1:
        raise Invalid("the title has more than one line")
    try:
        encoded = msgspec.json.encode({name: value for name, value in fields.items() if name != "kept"})
    except UnicodeEncodeError:
        raise Invalid("the task has half a character, which is no text") from None
    if b"\\u0000" in encoded:
        raise Invalid("the task has a NUL character, which cannot be stored")


def _encode_kept(kept: dict[str, Any]) -> str:
    """Return the kept values as JSON in ASCII, so that no text of theirs is normalized on the way."""
    try:
        text = json.dumps(kept, separators=(",", ":"))
        if "\\u0000" in text or "\\ud" in text:  # NUL and half a character cannot be stored
            whole = json.dumps(kept, ensure_ascii=False).encode(errors="replace").decode()
            text = json.dumps(json.loads(whole.replace("\\u0000", "\\ufffd")), separators=(",", ":"))
    except (RecursionError, ValueError):
        raise Invalid("the kept values are nested too deeply") from None
    return text


def rename_links(task: ImportedTask, identity: RecordIdentity) -> SourceReferences:
    """Return the links of a task by the ids under which tasks are stored."""
    return SourceReferences(
        parent=identity.find(task.parent) if task.parent else None,
        after=tuple(dict.fromkeys(identity.find(source_id) for source_id in task.after)),
    )
