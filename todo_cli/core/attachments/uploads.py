"""Start an upload, store its chunks, and read the stored bytes back before the file is attached."""

from __future__ import annotations

from base64 import b64decode
from hashlib import sha256
from typing import Literal

from todo_cli.contract import attachments as ask
from todo_cli.contract.attachments import StartUpload, StoredChunk, StoredUpload, Upload
from todo_cli.contract.codec import decode
from todo_cli.contract.task_types import Attachment
from todo_cli.core.attachments.attachments_sql import upload_json
from todo_cli.core.attachments.file_names import check_name, guess_type
from todo_cli.core.dispatch import handler
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Steps, Transaction
from todo_cli.errors import Conflict, NotFound

START = Sql(f"""
SELECT {upload_json("a")}::text
FROM todo.start_upload(%(number)s::bigint, %(id)s::uuid, %(name)s, %(type)s, %(size)s::bigint,
  %(sha256)s::bytea, %(place)s) a""")

STORE_CHUNK = Sql("""
SELECT todo.store_chunk(
  %(number)s::bigint, %(id)s::uuid, %(position)s::int, decode(%(data)s, 'base64'))""")

LOCK = Sql(f"""
SELECT {upload_json("a")}::text FROM todo.lock_upload(%(number)s::bigint, %(id)s::uuid) a""")

READ_CHUNK = Sql("""
SELECT encode(c.data, 'base64') FROM todo.attachment_chunks c
WHERE c.space_id = %(space)s::uuid AND c.attachment_id = %(id)s::uuid
  AND c.position = %(position)s::int""")

VERIFY = Sql("SELECT todo.verify_upload(%(number)s::bigint, %(id)s::uuid, %(object)s::uuid)")

RESET = Sql("SELECT todo.reset_upload(%(number)s::bigint, %(id)s::uuid)")


@handler(ask.StartUpload)
async def start_upload(tx: Transaction, request: StartUpload) -> Upload:
    """Start an upload into the database, or return how far it has come."""
    stored = await _start(tx, request, "database")
    return Upload(
        attachment=stored.attachment,
        place=stored.place,
        is_stored=stored.is_stored,
        next_chunk=stored.next_chunk,
    )


@handler(ask.StartStoreUpload)
async def start_store_upload(tx: Transaction, request: ask.StartStoreUpload) -> StoredUpload:
    """Start an upload into the object store of a server, which signs the URL."""
    return await _start(tx, request.upload, "store")


async def _start(tx: Transaction, request: StartUpload, place: Literal["database", "store"]) -> StoredUpload:
    name = check_name(request.name)
    text = await tx.finish(
        START,
        number=request.number,
        id=request.id,
        name=name,
        type=request.type or guess_type(name),
        size=request.size,
        sha256=bytes.fromhex(request.sha256),
        place=place,
    )
    return decode(text or "", StoredUpload)


@handler(ask.StoreChunk)
async def store_chunk(tx: Transaction, request: ask.StoreChunk) -> StoredChunk:
    """Store a chunk; raises NotFound, Conflict and Invalid for one that no upload expects."""
    from base64 import b64encode

    # a chunk changes no task: on a slow line it must not hold the lock of the space while it arrives
    tx.values["write"] = False
    data = b64encode(request.data).decode()
    await tx.finish(STORE_CHUNK, number=request.number, id=request.id, position=request.position, data=data)
    return StoredChunk(position=request.position, size=len(request.data))


@handler(ask.ReadUpload)
async def read_upload(tx: Transaction, request: ask.ReadUpload) -> StoredUpload:
    """Return the caller's own upload; raises NotFound."""
    return _decode_upload(await tx.finish(LOCK, number=request.number, id=request.id))


@handler(ask.VerifyUpload)
async def verify_upload(tx: Transaction, request: ask.VerifyUpload) -> StoredUpload:
    """Store that the server has read the object back; of several objects of an upload the first one stays."""
    tx.values["write"] = False  # no task changes
    return _decode_upload(await tx.finish(VERIFY, LOCK, number=request.number, id=request.id, object=request.object))


async def require_verified(tx: Transaction, number: int, upload_id: str) -> Attachment:
    """Return the file of an upload whose bytes are verified; those in the database are read back now, chunk by chunk.

    It is a transaction of its own, which locks the upload and not the space. Raises NotFound for an unknown upload and
    Conflict for one that is unfinished or has other bytes.
    """
    values = {"number": number, "id": upload_id}
    upload = _decode_upload(await tx.separate(ask.ReadUpload).finish(LOCK, **values))
    if upload.is_stored:
        return upload.attachment
    if upload.place == "store":
        raise Conflict(
            "the file is being uploaded to the store of a server", hint="finish it through the server that began it"
        )
    async with tx.separate(ask.ReadUpload).steps() as steps:
        upload = _decode_upload(await steps.fetch(LOCK, **values))
        is_right = await _compare_chunks(steps, upload)
        await steps.commit(VERIFY if is_right else RESET, **values, object=None)
    if not is_right:
        raise wrong_bytes(upload.attachment)
    return upload.attachment


def wrong_bytes(attachment: Attachment) -> Conflict:
    """Return the error for an upload that has other bytes than it announced."""
    return Conflict(
        f"the stored bytes are not those of {attachment.name[:60]!r} (by size and SHA-256); it was not attached",
        hint="the file may have changed meanwhile: upload it again",
    )


async def _compare_chunks(steps: Steps, upload: StoredUpload) -> bool:
    """Whether the chunks have the announced size and SHA-256. One chunk at a time is in memory."""
    digest, size, position = sha256(), 0, 0
    while size < upload.attachment.size:
        text = await steps.fetch(READ_CHUNK, id=upload.attachment.id, position=position)
        if text is None:
            raise Conflict(
                f"the upload of {upload.attachment.name[:60]!r} is not finished: chunk {position} is missing",
                hint="repeat the command to continue it",
            )
        data = b64decode(text)
        digest.update(data)
        size += len(data)
        position += 1
    return size == upload.attachment.size and digest.hexdigest() == upload.attachment.sha256


def _decode_upload(text: str | None) -> StoredUpload:
    if text is None:
        raise NotFound("there is no such upload of yours", hint="begin again: todo attachment add N FILE")
    return decode(text, StoredUpload)
