"""List the attachments of a task and read those that are in the database."""

from __future__ import annotations

from todo_cli.contract import attachments as ask
from todo_cli.contract.attachments import AttachmentList, Download, FileChunk, StoredUpload
from todo_cli.contract.codec import decode
from todo_cli.contract.limits import ATTACHMENT_CHUNK_BYTES
from todo_cli.core.attachments.attachments_sql import select_attachments, upload_json
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.select import missing_tasks
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, NotFound

LIST = Sql(f"""
SELECT json_build_object('number', t.number, 'attachments', {select_attachments("t")})::text
FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND t.number = %(number)s::bigint""")

FIND = Sql(f"""
SELECT {upload_json("a")}::text
FROM todo.attachments a
  JOIN todo.tasks t ON t.space_id = a.space_id AND t.number = a.number
WHERE a.space_id = %(space)s::uuid AND a.id = %(id)s::uuid AND a.number = %(number)s::bigint
  AND a.verified_at IS NOT NULL AND a.removing_at IS NULL
  AND t.attachments @> jsonb_build_array(jsonb_build_object('id', a.id))""")

READ = Sql("""
SELECT json_build_object('position', c.position,
  'data', translate(encode(c.data, 'base64'), E'\\n', ''))::text
FROM todo.attachment_chunks c
  JOIN todo.attachments a ON a.space_id = c.space_id AND a.id = c.attachment_id
  JOIN todo.tasks t ON t.space_id = a.space_id AND t.number = a.number
WHERE c.space_id = %(space)s::uuid AND c.attachment_id = %(id)s::uuid
  AND c.position = %(position)s::int
  AND a.number = %(number)s::bigint AND a.verified_at IS NOT NULL AND a.removing_at IS NULL
  AND t.attachments @> jsonb_build_array(jsonb_build_object('id', a.id))""")


@handler(ask.ListAttachments)
async def list_attachments(tx: Transaction, request: ask.ListAttachments) -> AttachmentList:
    """Return the files of a task, which may be in the trash; raises NotFound."""
    text = await tx.finish(LIST, number=request.number)
    if text is None:
        raise missing_tasks([request.number], None)
    return decode(text, AttachmentList)


@handler(ask.FetchAttachment)
async def fetch_attachment(tx: Transaction, request: ask.FetchAttachment) -> Download:
    """Return how to read a file; raises NotFound, and Conflict for one that only a server can read."""
    stored = await _find(tx, request.number, request.id)
    if stored.place == "store":
        raise Conflict(
            "the file is in the store of a server, to which a direct login has no key",
            hint="get it through the server: todo login URL",
        )
    return describe_download(stored)


@handler(ask.ReadStoredFile)
async def read_stored_file(tx: Transaction, request: ask.ReadStoredFile) -> StoredUpload:
    """Return where the bytes of a file are; raises NotFound."""
    return await _find(tx, request.number, request.id)


@handler(ask.ReadChunk)
async def read_chunk(tx: Transaction, request: ask.ReadChunk) -> FileChunk:
    """Return a chunk of an attached file; raises NotFound."""
    text = await tx.finish(READ, number=request.number, id=request.id, position=request.position)
    if text is None:
        raise _missing(request.number)
    return decode(text, FileChunk)


def describe_download(stored: StoredUpload) -> Download:
    """Return how a file in the database is read."""
    chunks = -(-stored.attachment.size // ATTACHMENT_CHUNK_BYTES)
    return Download(attachment=stored.attachment, place=stored.place, chunks=chunks)


async def _find(tx: Transaction, number: int, attachment_id: str) -> StoredUpload:
    text = await tx.finish(FIND, number=number, id=attachment_id)
    if text is None:
        raise _missing(number)
    return decode(text, StoredUpload)


def _missing(number: int) -> NotFound:
    return NotFound(
        f"task #{number} has no such attachment, or the file was removed for good",
        hint=f"list them with: todo attachment list {number}",
    )
