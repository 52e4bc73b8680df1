"""The routes of attachments on a server with an object store: the bytes go between the client and the store.

No database connection is held while the store works. Without a store the plain endpoints put files into the database.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from todo_cli.contract.attachments import (
    AddAttachment,
    AttachmentList,
    Download,
    FetchAttachment,
    ReadStoredFile,
    ReadUpload,
    StartStoreUpload,
    StartUpload,
    StoredUpload,
    Upload,
    VerifyUpload,
)
from todo_cli.contract.base import Caller, Request
from todo_cli.contract.ids import new_id
from todo_cli.core.attachments.read import describe_download
from todo_cli.core.attachments.uploads import wrong_bytes
from todo_cli.db.rate_limit import RequestCount
from todo_cli.errors import Unavailable
from todo_cli.server.connection_pools import Pool
from todo_cli.server.endpoint import RequestEndpoint
from todo_cli.server.pool import TimedAnswer
from todo_cli.settings.settings import Settings
from todo_cli.stores.objects import UPLOAD_HEADERS, URL_MINUTES, ObjectStore, StoreSettings

MAX_VERIFICATIONS = 4
"""Files of a process that are read back at the same time; others wait."""
VERIFICATION_TIMEOUT_SECONDS = 120.0


def open_object_store(settings: Settings) -> ObjectStore | None:
    """Return the store of the settings, None where no bucket is named; raises Unavailable."""
    if settings.store_bucket is None:
        return None
    return ObjectStore(
        StoreSettings(
            bucket=settings.store_bucket,
            endpoint=settings.store_endpoint,
            public_endpoint=settings.store_public_endpoint,
            region=settings.store_region,
            access_key_id=settings.store_access_key_id,
            secret_access_key=settings.store_secret_access_key,
        )
    )


class StoreEndpoint(RequestEndpoint):
    """An endpoint whose answer needs the object store."""

    def __init__(self, request: type[Request[Any]], pool: Pool, store: ObjectStore) -> None:
        super().__init__(request, pool)
        self._store = store

    async def _send(self, caller: Caller, request: Request[Any], count: RequestCount | None = None) -> TimedAnswer[Any]:
        return await super()._answer(caller, request, count)


class StartUploadEndpoint(StoreEndpoint):
    """Start an upload into the store."""

    async def _answer(self, caller: Caller, request: StartUpload, count: RequestCount | None) -> TimedAnswer[Upload]:
        found = await self._send(caller, StartStoreUpload(upload=request), count)
        stored: StoredUpload = found.value
        upload = Upload(
            attachment=stored.attachment,
            place=stored.place,
            is_stored=stored.is_stored,
            next_chunk=stored.next_chunk,
        )
        if stored.place == "store" and not stored.is_stored and stored.incoming and found.clock:
            upload = replace(
                upload,
                url=self._store.sign_upload(stored.incoming),
                headers=UPLOAD_HEADERS,
                url_expires_at=found.clock.now + timedelta(minutes=URL_MINUTES),
            )
        return found._replace(value=upload)


class AddAttachmentEndpoint(StoreEndpoint):
    """Copy an uploaded object, read the copy back, and attach the file."""

    def __init__(self, request: type[Request[Any]], pool: Pool, store: ObjectStore) -> None:
        super().__init__(request, pool, store)
        self._slots = asyncio.Semaphore(MAX_VERIFICATIONS)

    async def _answer(
        self, caller: Caller, request: AddAttachment, count: RequestCount | None
    ) -> TimedAnswer[AttachmentList]:
        steps = replace(caller, key=None)
        # the first step is counted by the user's limit, the others belong to it
        found = await self._send(steps, ReadUpload(number=request.number, id=request.id), count)
        upload: StoredUpload = found.value
        if upload.place == "store" and not upload.is_stored:
            try:
                async with asyncio.timeout(VERIFICATION_TIMEOUT_SECONDS), self._slots:
                    copy = await self._copy(upload)
            except TimeoutError:
                raise Unavailable("the store of the files took too long", hint="try again in a moment") from None
            await self._send(steps, VerifyUpload(number=request.number, id=request.id, object=copy))
        return await self._send(caller, request)

    async def _copy(self, upload: StoredUpload) -> str:
        """Return the name of a verified copy; raises Conflict for wrong bytes, which are removed."""
        assert upload.incoming  # noqa: S101  # every upload into the store has it
        attachment, copy = upload.attachment, new_id()
        if await self._store.measure_upload(upload.incoming) == attachment.size:
            bytes_read = await self._store.copy_upload(upload.incoming, upload.space, attachment.id, copy)
            if (bytes_read.size, bytes_read.sha256) == (attachment.size, attachment.sha256):
                await self._store.remove_upload(upload.incoming)
                return copy
            await self._store.remove_copy(upload.space, attachment.id, copy)
        await self._store.remove_upload(upload.incoming)
        raise wrong_bytes(attachment)


class FetchAttachmentEndpoint(StoreEndpoint):
    """Sign the URL of an attachment that is in the store."""

    async def _answer(
        self, caller: Caller, request: FetchAttachment, count: RequestCount | None
    ) -> TimedAnswer[Download]:
        found = await self._send(caller, ReadStoredFile(number=request.number, id=request.id), count)
        stored: StoredUpload = found.value
        download = describe_download(stored)
        if stored.object and found.clock:
            download = replace(
                download,
                chunks=0,
                url=self._store.sign_download(stored.space, stored.attachment.id, stored.object),
                url_expires_at=found.clock.now + timedelta(minutes=URL_MINUTES),
            )
        return found._replace(value=download)


ENDPOINTS: dict[type[Request[Any]], type[StoreEndpoint]] = {
    StartUpload: StartUploadEndpoint,
    AddAttachment: AddAttachmentEndpoint,
    FetchAttachment: FetchAttachmentEndpoint,
}
"""The Requests that a server with a store answers otherwise."""
