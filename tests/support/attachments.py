"""Upload files as a client does, one Request at a time."""

from __future__ import annotations

from hashlib import sha256

from tests.support.ask import Ask
from todo_cli.contract.attachments import (
    AddAttachment,
    AttachmentList,
    FetchAttachment,
    ReadChunk,
    StartUpload,
    StoreChunk,
    Upload,
)
from todo_cli.contract.ids import new_id
from todo_cli.contract.limits import ATTACHMENT_CHUNK_BYTES


def start(ask: Ask, number: int, data: bytes, name: str = "notes.txt", **more: str) -> Upload:
    """Start the upload of a file."""
    digest = more.pop("sha256", sha256(data).hexdigest())
    return ask(
        StartUpload(number=number, id=more.pop("id", new_id()), name=name, size=len(data), sha256=digest, **more)
    )


def send_chunks(ask: Ask, number: int, upload: Upload, data: bytes, first: int = 0) -> None:
    """Send the chunks of a file, from the first one on."""
    for position in range(first, -(-len(data) // ATTACHMENT_CHUNK_BYTES)):
        begin = position * ATTACHMENT_CHUNK_BYTES
        part = data[begin : begin + ATTACHMENT_CHUNK_BYTES]
        ask(StoreChunk(number=number, id=upload.attachment.id, position=position, data=part))


def attach(ask: Ask, number: int, data: bytes = b"bytes", name: str = "notes.txt", **more: str) -> AttachmentList:
    """Upload a file into the database and attach it."""
    upload = start(ask, number, data, name, **more)
    send_chunks(ask, number, upload, data)
    return ask(AddAttachment(number=number, id=upload.attachment.id))


def read_back(ask: Ask, number: int, attachment_id: str) -> bytes:
    """Download a file from the database."""
    source = ask(FetchAttachment(number=number, id=attachment_id))
    return b"".join(
        ask(ReadChunk(number=number, id=attachment_id, position=position)).data for position in range(source.chunks)
    )
