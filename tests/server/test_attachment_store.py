"""Attachments in a real S3-compatible store: the bytes go past the server, which verifies them afterwards."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
import pytest

from tests.conftest import Database, Person, Server, Todo, start_server
from tests.support.ask import Ask, settings_of
from tests.support.attachments import start
from tests.support.seaweedfs import Seaweedfs
from todo_cli.clients.open import open_client
from todo_cli.contract.attachments import AddAttachment, FetchAttachment, RemoveAttachment, StartUpload, Upload
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import Undo
from todo_cli.core.attachments.sweep import sweep_attachments
from todo_cli.db.pipeline import connect
from todo_cli.errors import Conflict, NotFound, Unavailable
from todo_cli.server.attachment_routes import open_object_store

DATA = os.urandom(300_000)


@pytest.fixture(scope="module")
def store_server(db: Database, seaweedfs: Seaweedfs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over the shared database whose files are in the store."""
    running = start_server(tmp_path_factory.mktemp("store-server"), db, env=seaweedfs.settings)
    yield running
    running.stop()


@pytest.fixture
def ask(store_server: Server, person: Person) -> Iterator[Ask]:
    """A client of that server."""
    client = open_client(settings_of(person, "api", server=store_server.url))
    yield Ask(client, person, "api")
    client.close()


def transfer(method: str, url: str, body: bytes = b"") -> tuple[int, bytes]:
    """Send a request as a plain HTTP client, which has no keys of the store."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=20)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def upload_url(upload: Upload) -> str:
    """Return the URL of an upload that is not finished."""
    assert isinstance(upload.url, str)
    return upload.url


def sweep(db: Database, seaweedfs: Seaweedfs, days: int = 30) -> int:
    """Sweep the database and the store as a worker does."""

    async def run() -> int:
        connection = await connect(db.server_url)
        given: dict[str, Any] = {
            name.removeprefix("TODO_").lower(): value for name, value in seaweedfs.settings.items()
        }
        given["store_secret_access_key"] = Secret(given["store_secret_access_key"])
        settings = settings_of(Person("", "", "", ""), "api", **given)
        try:
            return await sweep_attachments(connection, open_object_store(settings), days)
        finally:
            await connection.close()

    return asyncio.run(run())


def keys_of(seaweedfs: Seaweedfs, ask: Ask) -> list[str]:
    """Return the objects of the user's space."""
    return [key for key in seaweedfs.list_keys() if ask.who.user_id in key]


def test_file_goes_past_the_server_and_is_verified(ask: Ask, seaweedfs: Seaweedfs) -> None:
    number = ask.add("x").number
    upload = start(ask, number, DATA, "../../etc/passwd")
    assert transfer("PUT", upload_url(upload), DATA)[0] == 200
    request = AddAttachment(number=number, id=upload.attachment.id)
    added = ask(request, "k")
    assert ask(request, "k") == added
    source = ask(FetchAttachment(number=number, id=upload.attachment.id))
    assert transfer("GET", str(source.url)) == (200, DATA)
    (key,) = keys_of(seaweedfs, ask)
    assert "passwd" not in key
    assert start(ask, number, DATA, "../../etc/passwd", id=upload.attachment.id).is_stored


def test_url_that_is_forged_for_another_key_or_verb_is_refused(ask: Ask) -> None:
    number = ask.add("x").number
    url = upload_url(start(ask, number, DATA))
    forged = (
        ("GET", url),
        ("PUT", url.replace("/incoming/", "/attachments/")),
        ("PUT", url.replace("X-Amz-Signature=", "X-Amz-Signature=0")),
        ("PUT", url.replace("X-Amz-Expires=3600", "X-Amz-Expires=36000")),
        ("GET", url.partition("?")[0] + "?"),
    )
    assert [transfer(method, other, b"x")[0] for method, other in forged] == [403] * len(forged)


def test_wrong_bytes_and_bytes_that_never_came_are_refused_and_leave_nothing(ask: Ask, seaweedfs: Seaweedfs) -> None:
    number = ask.add("x").number
    upload = start(ask, number, DATA)
    request = AddAttachment(number=number, id=upload.attachment.id)
    with pytest.raises(Conflict, match="has not arrived"):
        ask(request)
    for wrong in (DATA[:-1], DATA + b"x", bytes(len(DATA))):
        transfer("PUT", upload_url(upload), wrong)
        with pytest.raises(Conflict, match="not those of"):
            ask(request)
    assert keys_of(seaweedfs, ask) == []
    transfer("PUT", upload_url(upload), DATA)
    assert len(ask(request).attachments) == 1


def test_url_that_is_used_again_changes_no_attachment(ask: Ask, db: Database, seaweedfs: Seaweedfs) -> None:
    number = ask.add("x").number
    upload = start(ask, number, DATA)
    transfer("PUT", upload_url(upload), DATA)
    ask(AddAttachment(number=number, id=upload.attachment.id))
    transfer("PUT", upload_url(upload), b"forged")
    source = ask(FetchAttachment(number=number, id=upload.attachment.id))
    assert transfer("GET", str(source.url))[1] == DATA
    db.execute(
        "UPDATE todo.attachments SET expires_at = expires_at - interval '2 days' WHERE id = %s", upload.attachment.id
    )
    assert [key for key in seaweedfs.list_keys() if key.startswith("incoming/")] != []
    sweep(db, seaweedfs)
    assert len(keys_of(seaweedfs, ask)) == 1, "the verified object stays"
    assert transfer("GET", str(source.url))[1] == DATA


def test_file_that_is_finished_twice_at_once_is_attached_once(ask: Ask, db: Database, seaweedfs: Seaweedfs) -> None:
    number = ask.add("x").number
    upload = start(ask, number, DATA)
    transfer("PUT", upload_url(upload), DATA)
    ended: list[str] = []

    def finish() -> None:
        client = open_client(ask.backend._settings)  # type: ignore[attr-defined]  # the client's own
        try:
            client.send_now(AddAttachment(number=number, id=upload.attachment.id))
            ended.append("attached")
        except Conflict:
            ended.append("too late")
        finally:
            client.close()

    threads = [threading.Thread(target=finish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "attached" in ended
    assert len(ask(AddAttachment(number=number, id=upload.attachment.id)).attachments) == 1
    source = ask(FetchAttachment(number=number, id=upload.attachment.id))
    assert transfer("GET", str(source.url))[1] == DATA
    db.execute(
        "UPDATE todo.attachments SET expires_at = expires_at - interval '2 days' WHERE id = %s", upload.attachment.id
    )
    sweep(db, seaweedfs)
    assert len(keys_of(seaweedfs, ask)) == 1


def test_sweep_leaves_no_object_of_removed_and_abandoned_files(ask: Ask, db: Database, seaweedfs: Seaweedfs) -> None:
    number = ask.add("x").number
    uploads = [start(ask, number, DATA, f"{name}.txt") for name in ("kept", "removed", "abandoned")]
    for upload in uploads:
        transfer("PUT", upload_url(upload), DATA)
    for upload in uploads[:2]:
        ask(AddAttachment(number=number, id=upload.attachment.id))
    ask(RemoveAttachment(number=number, id=uploads[1].attachment.id))
    sweep(db, seaweedfs)
    assert len(keys_of(seaweedfs, ask)) == 2, "an undo may need the removed one"
    db.execute(
        """UPDATE todo.attachments SET unused_since = unused_since - interval '31 days',
            expires_at = expires_at - interval '2 days' WHERE space_id = %s""",
        ask.who.user_id,
    )
    assert sweep(db, seaweedfs) >= 2
    rows = db.execute("SELECT name FROM todo.attachments WHERE space_id = %s", ask.who.user_id)
    assert (rows, len(keys_of(seaweedfs, ask))) == ([("kept.txt",)], 1)
    ask(Undo())
    with pytest.raises(NotFound, match="removed for good"):
        ask(FetchAttachment(number=number, id=uploads[1].attachment.id))


def test_sweep_that_was_killed_before_the_rows_finds_them_again(ask: Ask, db: Database, seaweedfs: Seaweedfs) -> None:
    number = ask.add("x").number
    upload = start(ask, number, DATA)
    transfer("PUT", upload_url(upload), DATA)
    ask(AddAttachment(number=number, id=upload.attachment.id))
    ask(RemoveAttachment(number=number, id=upload.attachment.id))
    db.execute("SELECT count(*) FROM todo.sweep_attachments('0 days', true, 1000)")
    obstore.delete(seaweedfs.bucket, keys_of(seaweedfs, ask))
    with pytest.raises(Conflict, match="being removed"):
        start(ask, number, DATA, id=upload.attachment.id)
    sweep(db, seaweedfs)
    assert db.execute("SELECT FROM todo.attachments WHERE id = %s", upload.attachment.id) == []


def test_direct_client_has_no_key_of_the_store(ask: Ask, person: Person) -> None:
    number = ask.add("x").number
    upload = start(ask, number, DATA)
    transfer("PUT", upload_url(upload), DATA)
    direct = Ask(open_client(settings_of(person, "direct")), person, "direct")
    request = AddAttachment(number=number, id=upload.attachment.id)
    with pytest.raises(Conflict, match="being uploaded to the store"):
        direct(request)
    ask(request)
    with pytest.raises(Conflict, match="has no key"):
        direct(FetchAttachment(number=number, id=upload.attachment.id))
    direct.backend.close()


def test_store_that_is_away_is_reported_and_stops_nothing_else(
    db: Database, person: Person, make_server: Callable[..., Server], seaweedfs: Seaweedfs
) -> None:
    away = seaweedfs.settings | {"TODO_STORE_ENDPOINT": "http://127.0.0.1:9"}
    client = open_client(settings_of(person, "api", server=make_server(db, env=away).url))
    ask = Ask(client, person, "api")
    number = ask.add("x").number
    upload = start(ask, number, DATA)
    with pytest.raises(Unavailable, match="store of the files"):
        ask(AddAttachment(number=number, id=upload.attachment.id))
    assert ask.show(number).title == "x"
    client.close()


def test_command_uploads_and_downloads_through_the_store(
    person: Person, store_server: Server, as_person: Callable[..., Todo], tmp_path: Path
) -> None:
    todo = as_person(person, "api", url=store_server.url)
    todo("add", "x")
    (tmp_path / "data.bin").write_bytes(DATA)
    assert todo("attachment", "add", "1", str(tmp_path / "data.bin")).code == 0
    got = todo("attachment", "get", "1", "--output", str(tmp_path / "copy.bin"))
    assert (got.code, (tmp_path / "copy.bin").read_bytes() == DATA) == (0, True), got.err


def test_new_id_of_an_upload_needs_a_new_upload(ask: Ask) -> None:
    number = ask.add("x").number
    with pytest.raises(NotFound, match="no such upload"):
        ask(AddAttachment(number=number, id=new_id()))
    upload = start(ask, number, DATA)
    with pytest.raises(Conflict, match="already exists"):
        ask(StartUpload(number=number, id=upload.attachment.id, name="other", size=1, sha256="0" * 64))
