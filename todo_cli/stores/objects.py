"""The object store of attachments: any that speaks S3. Keys are random; only servers and workers have its secret.

Clients upload to `incoming/…` over a signed URL, which stays valid for a while and could be used again. So a file
is copied from there to a key of its own before its bytes are read back: nobody can write to that key.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from todo_cli.contract.base import Secret
from todo_cli.errors import Conflict, Unavailable

URL_MINUTES = 60
"""A signed URL is valid for so long; a large file on a slow line needs it."""
REQUEST_TIMEOUT = "30s"
MAX_RETRIES = 2
RETRY_SECONDS = 10
READ_BYTES = 1024 * 1024

UPLOAD_HEADERS = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
"""The store gives them back with the file: a browser saves it and never runs it."""


class StoreSettings(NamedTuple):
    """Where the store is. Without a key the environment of AWS decides, such as the role of a machine."""

    bucket: str
    endpoint: str | None
    public_endpoint: str | None
    region: str
    access_key_id: str | None
    secret_access_key: Secret | None


class StoredBytes(NamedTuple):
    """What the store has: the size in bytes and the SHA-256 in hex."""

    size: int
    sha256: str


class ObjectStore:
    """The objects of one bucket. It keeps no state but its connections."""

    def __init__(self, settings: StoreSettings) -> None:
        """Open the bucket; raises Unavailable without the library. Nothing is sent yet."""
        try:
            import obstore
        except ImportError:
            raise Unavailable(
                "the object store needs the library obstore", hint="install it with: pip install 'todo-cli[s3]'"
            ) from None
        self._api: Any = obstore
        self._bucket = _open_bucket(settings, settings.endpoint)
        self._public_bucket = _open_bucket(settings, settings.public_endpoint or settings.endpoint)

    def sign_upload(self, incoming: str) -> str:
        """Return a URL to which the file can be PUT."""
        return self._sign("PUT", _incoming_key(incoming))

    def sign_download(self, space: str, attachment: str, name: str) -> str:
        """Return a URL from which the verified object can be read."""
        return self._sign("GET", _object_prefix(space, attachment) + name)

    def _sign(self, method: str, key: str) -> str:
        url: str = self._api.sign(self._public_bucket, method, key, timedelta(minutes=URL_MINUTES))
        return url

    async def measure_upload(self, incoming: str) -> int:
        """Return the size of an uploaded object; raises Conflict where there is none."""
        with _translate_errors():
            try:
                found = await self._api.head_async(self._bucket, _incoming_key(incoming))
            except FileNotFoundError:
                raise Conflict(
                    "the file has not arrived in the store", hint="repeat the command to upload it"
                ) from None
        return int(found["size"])

    async def copy_upload(self, incoming: str, space: str, attachment: str, name: str) -> StoredBytes:
        """Copy an uploaded object to a key of its own and read the copy back, a part at a time."""
        key = _object_prefix(space, attachment) + name
        digest, size = sha256(), 0
        with _translate_errors():
            try:
                await self._api.copy_async(self._bucket, _incoming_key(incoming), key)
            except FileNotFoundError:
                raise Conflict(
                    "the upload is being finished already", hint="list the attachments of the task"
                ) from None
            found = await self._api.get_async(self._bucket, key)
            async for part in found.stream(min_chunk_size=READ_BYTES):
                digest.update(part)
                size += len(part)
        return StoredBytes(size, digest.hexdigest())

    async def remove_upload(self, incoming: str) -> None:
        """Remove an uploaded object; a missing one is no error."""
        await self._remove([_incoming_key(incoming)])

    async def remove_copy(self, space: str, attachment: str, name: str) -> None:
        """Remove one object of an attachment."""
        await self._remove([_object_prefix(space, attachment) + name])

    async def remove_copies(self, space: str, attachment: str, keep: str | None = None) -> None:
        """Remove all objects of an attachment but `keep`, also those of attempts that were cut short."""
        prefix = _object_prefix(space, attachment)
        with _translate_errors():
            found = await self._api.list(self._bucket, prefix).collect_async()
        await self._remove([row["path"] for row in found if keep is None or row["path"] != prefix + keep])

    async def _remove(self, keys: Sequence[str]) -> None:
        with _translate_errors():
            if keys:
                await self._api.delete_async(self._bucket, list(keys))


def _incoming_key(incoming: str) -> str:
    return f"incoming/{incoming}"


def _object_prefix(space: str, attachment: str) -> str:
    return f"attachments/{space}/{attachment}/"


def _open_bucket(settings: StoreSettings, endpoint: str | None) -> Any:
    from obstore.store import S3Store

    options: dict[str, Any] = {"virtual_hosted_style_request": endpoint is None, "region": settings.region}
    if endpoint is not None:
        options["endpoint"] = endpoint
    if settings.access_key_id is not None and settings.secret_access_key is not None:
        options["access_key_id"] = settings.access_key_id
        options["secret_access_key"] = settings.secret_access_key.reveal()
    pause = timedelta(milliseconds=100)
    return S3Store(
        settings.bucket,
        client_options={"allow_http": (endpoint or "").startswith("http://"), "timeout": REQUEST_TIMEOUT},
        retry_config={
            "max_retries": MAX_RETRIES,
            "backoff": {"init_backoff": pause, "max_backoff": 10 * pause, "base": 2},
            "retry_timeout": timedelta(seconds=RETRY_SECONDS),
        },
        **options,
    )


@contextmanager
def _translate_errors() -> Iterator[None]:
    """Raise Unavailable for errors of the store; its texts name addresses, and stay in the chain for the log."""
    from obstore.exceptions import BaseError

    try:
        yield
    except BaseError as error:
        raise Unavailable("the store of the files cannot be used", hint="try again in a moment") from error
