"""Attach uploaded files to tasks, and remove attachments. A task lists its files, so that an undo brings them back."""

from __future__ import annotations

from msgspec.structs import replace

from todo_cli.contract.attachments import AddAttachment, AttachmentList, RemoveAttachment
from todo_cli.contract.limits import MAX_ATTACHMENTS_PER_TASK
from todo_cli.contract.task_types import Attachment
from todo_cli.core.attachments.uploads import require_verified
from todo_cli.core.journal import read_rows
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import KnownChange, Loaded, Wanted
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import select_rows
from todo_cli.core.tasks.store import DecidedChange, Edits
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, NotFound


class WantedFile(Wanted, kw_only=True):
    """The task, and the verified file to attach to it."""

    file: Attachment


async def want_file(tx: Transaction, request: AddAttachment) -> WantedFile:
    """Verify the upload, then name the task."""
    file = await require_verified(tx, request.number, request.id)
    return WantedFile(numbers=(request.number,), file=file)


async def want_task(tx: Transaction, request: RemoveAttachment) -> Wanted:
    """Name the task."""
    return Wanted(numbers=(request.number,))


def answer_files(change: DecidedChange) -> AttachmentList:
    """Answer with all files of the task."""
    return _list_files(change.rows[0])


def repeat_files(known: KnownChange) -> AttachmentList:
    """Answer again, as the journal keeps the task."""
    return _list_files(read_rows(known.after)[0])


def _list_files(row: TaskRow) -> AttachmentList:
    return AttachmentList(number=row.number, attachments=row.attachments or ())


@writes(AddAttachment, wanted=want_file, answer=answer_files, repeat=repeat_files)
def add_attachment(loaded: Loaded, wanted: WantedFile, request: AddAttachment) -> Edits:
    """Add the file to those of the task, in which it may be already; raises Conflict for too many files."""
    (row,) = select_rows(loaded, wanted)
    files = row.attachments or ()
    if any(file.id == wanted.file.id for file in files):
        return Edits(rows=[row])
    if len(files) >= MAX_ATTACHMENTS_PER_TASK:
        raise Conflict(
            f"task #{row.number} has {MAX_ATTACHMENTS_PER_TASK} attachments, which is the most",
            hint=f"remove one: todo attachment rm {row.number} NAME",
        )
    return Edits(rows=[replace(row, attachments=(*files, replace(wanted.file, at=loaded.now)))])


@writes(RemoveAttachment, wanted=want_task, answer=answer_files, repeat=repeat_files)
def remove_attachment(loaded: Loaded, wanted: Wanted, request: RemoveAttachment) -> Edits:
    """Take the file from those of the task; raises NotFound where the task does not have it."""
    (row,) = select_rows(loaded, wanted)
    files = tuple(file for file in row.attachments or () if file.id != request.id)
    if len(files) == len(row.attachments or ()):
        raise NotFound(
            f"task #{row.number} has no such attachment", hint=f"list them with: todo attachment list {row.number}"
        )
    return Edits(rows=[replace(row, attachments=files or None)])
