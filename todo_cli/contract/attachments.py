"""Files that are attached to tasks.

A file is uploaded in three steps: `StartUpload` stores the intent, then the bytes go to the object store of the server
or in chunks into the database, and `AddAttachment` verifies them and attaches the file. Each step may be repeated.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from todo_cli.contract.base import Number, Request
from todo_cli.contract.limits import (
    ATTACHMENT_CHUNK_BYTES,
    MAX_ATTACHMENT_BYTES,
    MAX_ATTACHMENT_NAME_CHARS,
    MAX_MEDIA_TYPE_CHARS,
)
from todo_cli.contract.task_types import Attachment
from todo_cli.contract.tokens import Id

FileName = Annotated[
    str, Meta(min_length=1, max_length=MAX_ATTACHMENT_NAME_CHARS, description="the file's name, without directories")
]
MediaType = Annotated[
    str,
    Meta(
        max_length=MAX_MEDIA_TYPE_CHARS,
        pattern=r"^[a-z0-9][a-z0-9!#$&^_.+-]*/[a-z0-9][a-z0-9!#$&^_.+-]*$",
        description="a media type such as image/png; null: by the name",
    ),
]
FileSize = Annotated[int, Meta(ge=0, le=MAX_ATTACHMENT_BYTES, description="bytes of the file")]
FileHash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 of the file, in hex")]
ChunkPosition = Annotated[
    int,
    Meta(
        ge=0,
        le=(MAX_ATTACHMENT_BYTES - 1) // ATTACHMENT_CHUNK_BYTES,
        description="the chunk's place in the file, from 0",
    ),
]
ChunkData = Annotated[bytes, Meta(max_length=ATTACHMENT_CHUNK_BYTES, description="the bytes in base64")]
FilePlace = Literal["database", "store"]


class Upload(Struct, frozen=True, kw_only=True):
    """An upload. With `url` the file goes there in one PUT with the `headers`, until `url_expires_at`.

    Without it the file goes into the database in chunks of `chunk_bytes`, from `next_chunk` on. With `is_stored`
    nothing is left to upload.
    """

    attachment: Attachment
    place: FilePlace
    is_stored: bool
    chunk_bytes: int = ATTACHMENT_CHUNK_BYTES
    next_chunk: int = 0
    url: str | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    url_expires_at: datetime | UnsetType = UNSET


class Download(Struct, frozen=True, kw_only=True):
    """Where an attachment can be read: with `url` by a GET until `url_expires_at`, else in so many `chunks`."""

    attachment: Attachment
    place: FilePlace
    chunks: int = 0
    url: str | UnsetType = UNSET
    url_expires_at: datetime | UnsetType = UNSET


class FileChunk(Struct, frozen=True, kw_only=True):
    """A part of a file; `data` is in base64."""

    position: int
    data: bytes


class StoredChunk(Struct, frozen=True, kw_only=True):
    """A chunk that is in the database."""

    position: int
    size: int


class AttachmentList(Struct, frozen=True, kw_only=True):
    """All attachments of a task, in the order in which they were added."""

    number: int
    attachments: tuple[Attachment, ...]


class StoredUpload(Struct, frozen=True, kw_only=True):
    """An upload as the database has it; `incoming` and `object` name its objects in the object store."""

    attachment: Attachment
    space: str
    place: FilePlace
    is_stored: bool
    next_chunk: int = 0
    incoming: str | None = None
    object: str | None = None


class StartUpload(Request[Upload], frozen=True, kw_only=True):
    """Start to upload a file for a task, or find out how far the upload has come.

    The caller creates the id, so that a repeated request continues the same upload.
    """

    verb = "StartUpload"
    label = "attachment add"
    past = "Started to upload"
    route = "POST /v1/tasks/{number}/attachments"
    scope = "tasks:write"

    number: Number
    id: Id
    name: FileName
    size: FileSize
    sha256: FileHash
    type: MediaType | None = None


class StartStoreUpload(Request[StoredUpload], frozen=True, kw_only=True):
    """Start an upload into the object store of the server that sends this."""

    verb = "StartStoreUpload"
    label = "attachment add"
    scope = "tasks:write"

    upload: StartUpload


class StoreChunk(Request[StoredChunk], frozen=True, kw_only=True):
    """Store a part of a file in the database. All parts but the last have the full size."""

    verb = "StoreChunk"
    label = "attachment add"
    past = "Uploaded"
    route = "POST /v1/tasks/{number}/attachments/{id}/chunks"
    scope = "tasks:write"

    number: Number
    id: Id
    position: ChunkPosition
    data: ChunkData


class AddAttachment(Request[AttachmentList], frozen=True, kw_only=True):
    """Attach an uploaded file to its task, after its stored bytes were read back and compared by size and SHA-256."""

    verb = "AddAttachment"
    label = "attachment add"
    past = "Attached"
    route = "POST /v1/tasks/{number}/attachments/{id}"
    scope = "tasks:write"

    number: Number
    id: Id


class RemoveAttachment(Request[AttachmentList], frozen=True, kw_only=True):
    """Remove an attachment from its task. An undo brings it back; the file itself is removed after some weeks."""

    verb = "RemoveAttachment"
    label = "attachment rm"
    past = "Removed"
    route = "DELETE /v1/tasks/{number}/attachments/{id}"
    scope = "tasks:write"

    number: Number
    id: Id


class ListAttachments(Request[AttachmentList], frozen=True, kw_only=True):
    """List the attachments of a task."""

    verb = "ListAttachments"
    label = "attachment list"
    route = "GET /v1/tasks/{number}/attachments"
    write = False

    number: Number


class FetchAttachment(Request[Download], frozen=True, kw_only=True):
    """Get the place from which an attachment can be downloaded."""

    verb = "FetchAttachment"
    label = "attachment get"
    route = "GET /v1/tasks/{number}/attachments/{id}"
    write = False

    number: Number
    id: Id


class ReadChunk(Request[FileChunk], frozen=True, kw_only=True):
    """Read a part of an attachment that is in the database."""

    verb = "ReadChunk"
    label = "attachment get"
    route = "GET /v1/tasks/{number}/attachments/{id}/chunks"
    write = False

    number: Number
    id: Id
    position: ChunkPosition


class ReadUpload(Request[StoredUpload], frozen=True, kw_only=True):
    """Read the caller's own upload, which may be unfinished."""

    verb = "ReadUpload"
    label = "attachment add"
    write = False
    scope = "tasks:write"

    number: Number
    id: Id


class ReadStoredFile(Request[StoredUpload], frozen=True, kw_only=True):
    """Read where an attachment of a task is stored."""

    verb = "ReadStoredFile"
    write = False

    number: Number
    id: Id


class VerifyUpload(Request[StoredUpload], frozen=True, kw_only=True):
    """Store that the server has read the `object` back and found the right bytes."""

    verb = "VerifyUpload"
    label = "attachment add"
    scope = "tasks:write"

    number: Number
    id: Id
    object: Id
