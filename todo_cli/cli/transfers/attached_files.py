"""The files of an export in our own format: they stand in a directory, named by their SHA-256, and lines name them.

A line is `{"_type":"attachment","task":ID,"name":…,"type":…,"size":…,"sha256":…}`, behind the tasks. In memory are only
the lines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import replace

from todo_cli.cli.render.progress import Progress
from todo_cli.cli.session import Session
from todo_cli.contract.attachments import ListAttachments
from todo_cli.contract.exports import ExportTasks
from todo_cli.contract.limits import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENT_NAME_CHARS
from todo_cli.errors import Conflict, Invalid
from todo_cli.formats.json_items import JsonItems
from todo_cli.formats.json_lines import ATTACHMENT_TYPE
from todo_cli.formats.records import ReadOptions

EXPORT_FORMAT = "jsonl"


class AttachmentLine(Struct, frozen=True, kw_only=True):
    """An attached file as a line of an export; `task` is the id of its task in the file."""

    line_type: str = msgspec.field(default=ATTACHMENT_TYPE, name="_type")
    task: Annotated[str, Meta(min_length=1)]
    name: Annotated[str, Meta(min_length=1, max_length=MAX_ATTACHMENT_NAME_CHARS)]
    type: str
    size: Annotated[int, Meta(ge=0, le=MAX_ATTACHMENT_BYTES)]
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class AttachedFiles(Struct, kw_only=True):
    """What became of the files of an import: how many were attached, and the reasons why others were not."""

    attached: int = 0
    known: int = 0
    problems: list[str] = []


def export_files(session: Session, tasks: Mapping[int, str], directory: Path) -> Iterator[AttachmentLine]:
    """Download the files of tasks, whose ids are given by number, and yield a line for each; raises TodoError."""
    from todo_cli.cli.attachment_download import download_to_file

    _create(directory)
    for number, task in tasks.items():
        for attachment in session.send(ListAttachments(number=number)).attachments:
            target = directory / attachment.sha256
            if attachment.removed is True:
                continue
            if not (target.is_file() and target.stat().st_size == attachment.size):
                download_to_file(session, number, attachment, target, force=True)
            yield AttachmentLine(
                task=task,
                name=attachment.name,
                type=attachment.type,
                size=attachment.size,
                sha256=attachment.sha256,
            )


def _create(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(f"cannot create {directory}: {error.strerror}") from None


def import_files(session: Session, file: BinaryIO, options: ReadOptions, directory: Path) -> AttachedFiles:
    """Attach the files that the lines of an export name to the imported tasks, each once; raises TodoError."""
    result = AttachedFiles()
    lines: dict[str, list[AttachmentLine]] = {}
    for line in _read_lines(file, options, result):
        lines.setdefault(line.task, []).append(line)
    progress = Progress("tasks with files")
    for number, task in _find_tasks(session, lines):
        _attach_lines(session, number, lines[task], directory, result)
        progress.update_count(number)
    progress.end()
    return result


def _read_lines(file: BinaryIO, options: ReadOptions, result: AttachedFiles) -> Iterator[AttachmentLine]:
    file.seek(0)
    for item in JsonItems(file, options):
        if not isinstance(item.value, dict) or item.value.get("_type") != ATTACHMENT_TYPE:
            continue
        try:
            yield msgspec.convert(item.value, AttachmentLine)
        except msgspec.ValidationError as error:
            result.problems.append(f"{item.place}: {error}")


def _find_tasks(session: Session, lines: Mapping[str, Sequence[AttachmentLine]]) -> Iterator[tuple[int, str]]:
    """Yield the number and the id in the file of each task that gets files, page by page; the trash gets none."""
    request: ExportTasks | None = ExportTasks(format=EXPORT_FORMAT) if lines else None
    while request:
        page = session.send(request)
        for task in page.tasks:
            if task.identity in lines and task.status != "deleted":
                yield task.number, task.identity
        request = replace(request, cursor=page.next) if page.next else None


def _attach_lines(
    session: Session, number: int, lines: Sequence[AttachmentLine], directory: Path, result: AttachedFiles
) -> None:
    from todo_cli.cli.attachment_upload import attach_file, open_file

    known = {(each.name, each.sha256) for each in session.send(ListAttachments(number=number)).attachments}
    for line in lines:
        if (line.name, line.sha256) in known:
            result.known += 1
            continue
        try:
            with open_file(os.fspath(directory / line.sha256), line.name) as file:
                if file.sha256 != line.sha256:
                    raise Conflict(f"{line.sha256} has other bytes than when it was exported")
                attach_file(session, number, file, line.type, None)
            result.attached += 1
        except (Invalid, Conflict) as error:
            result.problems.append(f"#{number} {line.name}: {error.detail}")
