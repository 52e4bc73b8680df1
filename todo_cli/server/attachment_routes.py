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
from todo_cli.server.endpoint import AnswerRequest, answer_client_with_clock
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


def open_attachment_routes(pool: Pool, settings: Settings) -> AttachmentRoutes | None:
    """Return the routes of a server with a store, None for one without."""
    store = open_object_store(settings)
    return AttachmentRoutes(pool, store) if store else None


class AttachmentRoutes:
    """The Requests that a server with a store answers otherwise. `answers` has the function of each."""

    def __init__(self, pool: Pool, store: ObjectStore) -> None:
        self._pool, self._store = pool, store
        self._slots = asyncio.Semaphore(MAX_VERIFICATIONS)
        self.answers: dict[type[Request[Any]], AnswerRequest] = {
            StartUpload: self.start_upload,
            AddAttachment: self.add_attachment,
            FetchAttachment: self.fetch_attachment,
        }

    async def start_upload(
        self, caller: Caller, request: StartUpload, count: RequestCount | None
    ) -> TimedAnswer[Upload]:
        """Start an upload into the store, with a signed URL."""
        found = await answer_client_with_clock(self._pool, caller, StartStoreUpload(upload=request), count)
        stored = found.value
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
        return TimedAnswer(upload, found.clock, found.display)

    async def add_attachment(
        self, caller: Caller, request: AddAttachment, count: RequestCount | None
    ) -> TimedAnswer[AttachmentList]:
        """Copy an uploaded object, read the copy back, and attach the file."""
        steps = replace(caller, key=None)
        # the first step is counted by the user's limit, the others belong to it
        reading = ReadUpload(number=request.number, id=request.id)
        upload = (await answer_client_with_clock(self._pool, steps, reading, count)).value
        if upload.place == "store" and not upload.is_stored:
            try:
                async with asyncio.timeout(VERIFICATION_TIMEOUT_SECONDS), self._slots:
                    copy = await self._verify(upload)
            except TimeoutError:
                raise Unavailable("the store of the files took too long", hint="try again in a moment") from None
            verified = VerifyUpload(number=request.number, id=request.id, object=copy)
            await answer_client_with_clock(self._pool, steps, verified)
        return await answer_client_with_clock(self._pool, caller, request)

    async def fetch_attachment(
        self, caller: Caller, request: FetchAttachment, count: RequestCount | None
    ) -> TimedAnswer[Download]:
        """Sign the URL of an attachment that is in the store."""
        reading = ReadStoredFile(number=request.number, id=request.id)
        found = await answer_client_with_clock(self._pool, caller, reading, count)
        stored = found.value
        download = describe_download(stored)
        if stored.object and found.clock:
            download = replace(
                download,
                chunks=0,
                url=self._store.sign_download(stored.space, stored.attachment.id, stored.object),
                url_expires_at=found.clock.now + timedelta(minutes=URL_MINUTES),
            )
        return TimedAnswer(download, found.clock, found.display)

    async def _verify(self, upload: StoredUpload) -> str:
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
