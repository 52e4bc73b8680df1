"""Attachments in the database, over both clients."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.conftest import Database
from tests.support.ask import Ask, AskAs
from tests.support.attachments import attach, read_back, send_chunks, start
from tests.support.connections import share, token_for
from todo_cli.contract.attachments import (
    AddAttachment,
    FetchAttachment,
    ListAttachments,
    ReadChunk,
    RemoveAttachment,
    StartUpload,
    StoreChunk,
)
from todo_cli.contract.ids import new_id
from todo_cli.contract.journal import ListChanges, Redo, Undo
from todo_cli.contract.limits import ATTACHMENT_CHUNK_BYTES
from todo_cli.contract.tasks import ShowTask
from todo_cli.core.attachments.sweep import sweep_attachments
from todo_cli.db.pipeline import connect
from todo_cli.errors import Conflict, Invalid, NotAllowed, NotFound

THREE_CHUNKS = os.urandom(2 * ATTACHMENT_CHUNK_BYTES + 7)


def names(ask: Ask, number: int) -> list[str]:
    """Return the names of a task's attachments, as show has them."""
    return [each.name for each in ask(ShowTask(number=number)).attachments or ()]


def sweep(db: Database, days: int = 30) -> int:
    """Sweep the database as a worker does."""

    async def run() -> int:
        connection = await connect(db.server_url)
        try:
            return await sweep_attachments(connection, None, days)
        finally:
            await connection.close()

    return asyncio.run(run())


def test_file_is_attached_listed_and_read_back(ask: Ask) -> None:
    task = ask.add("x")
    (attached,) = attach(ask, task.number, THREE_CHUNKS, "fotos/Büro\n1.png").attachments
    assert (attached.name, attached.type, attached.size) == ("fotos/Büro\n1.png", "image/png", len(THREE_CHUNKS))
    shown = ask(ShowTask(number=task.number))
    assert shown.attachments == ask(ListAttachments(number=task.number)).attachments == (attached,)
    assert read_back(ask, task.number, attached.id) == THREE_CHUNKS
    change = ask(ListChanges(number=task.number)).changes[0]
    assert change.verb == "AddAttachment"
    assert change.differences[0].fields == {"attachments": ([], ["fotos/Büro\n1.png"])}


def test_upload_that_was_cut_short_continues_where_it_ended(ask: Ask) -> None:
    number, id = ask.add("x").number, new_id()
    begun = start(ask, number, THREE_CHUNKS, id=id)
    assert (begun.is_stored, begun.next_chunk) == (False, 0)
    first = THREE_CHUNKS[:ATTACHMENT_CHUNK_BYTES]
    ask(StoreChunk(number=number, id=id, position=0, data=first))
    with pytest.raises(Conflict, match="chunk 1 is missing"):
        ask(AddAttachment(number=number, id=id))
    again = start(ask, number, THREE_CHUNKS, id=id)
    assert again.next_chunk == 1
    send_chunks(ask, number, again, THREE_CHUNKS, first=1)
    added = ask(AddAttachment(number=number, id=id), "k")
    assert ask(AddAttachment(number=number, id=id), "k") == added
    assert start(ask, number, THREE_CHUNKS, id=id).is_stored
    assert ask(AddAttachment(number=number, id=id)) == added, "attached already"
    with pytest.raises(Conflict, match="stored already"):
        ask(StoreChunk(number=number, id=id, position=0, data=first))


def test_upload_of_wrong_bytes_is_refused_and_begins_again(ask: Ask) -> None:
    number, id = ask.add("x").number, new_id()
    upload = start(ask, number, b"right", id=id)
    send_chunks(ask, number, upload, b"wrong")
    with pytest.raises(Conflict, match="not those of"):
        ask(AddAttachment(number=number, id=id))
    assert names(ask, number) == []
    assert start(ask, number, b"right", id=id).next_chunk == 0
    send_chunks(ask, number, upload, b"right")
    assert len(ask(AddAttachment(number=number, id=id)).attachments) == 1


@pytest.mark.parametrize(("position", "data"), [(0, b"four"), (0, b"sixsix"), (0, b""), (1, b"x"), (99, b"x")])
def test_chunk_of_a_wrong_size_is_refused(ask: Ask, position: int, data: bytes) -> None:
    number = ask.add("x").number
    upload = start(ask, number, b"right")
    with pytest.raises(Invalid, match="not its size"):
        ask(StoreChunk(number=number, id=upload.attachment.id, position=position, data=data))


def test_removed_attachment_comes_back_with_undo(ask: Ask, db: Database) -> None:
    number = ask.add("x").number
    (first,) = attach(ask, number, b"one", "one.txt").attachments
    attach(ask, number, b"two", "two.txt")
    assert [each.name for each in ask(RemoveAttachment(number=number, id=first.id)).attachments] == ["two.txt"]
    with pytest.raises(NotFound):
        ask(FetchAttachment(number=number, id=first.id))
    with pytest.raises(NotFound):
        ask(RemoveAttachment(number=number, id=first.id))
    sweep(db)
    ask(Undo())
    assert names(ask, number) == ["one.txt", "two.txt"]
    assert read_back(ask, number, first.id) == b"one"
    ask(Redo())
    assert names(ask, number) == ["two.txt"]


def test_sweep_removes_what_no_task_lists_for_long_and_keeps_the_rest(ask: Ask, db: Database) -> None:
    number = ask.add("x").number
    attach(ask, number, b"kept", "kept.txt")
    gone = attach(ask, number, b"gone", "gone.txt").attachments[1]
    abandoned = start(ask, number, b"never", "never.txt").attachment
    ask(RemoveAttachment(number=number, id=gone.id))
    space = ask.who.user_id
    query = "SELECT name FROM todo.attachments WHERE space_id = %s ORDER BY name"
    sweep(db)
    assert db.execute(query, space) == [("gone.txt",), ("kept.txt",), ("never.txt",)]
    past = "UPDATE todo.attachments SET expires_at = expires_at - interval '2 days' WHERE id = %s"
    db.execute(past, abandoned.id)
    db.execute("UPDATE todo.attachments SET unused_since = unused_since - interval '31 days' WHERE id = %s", gone.id)
    assert sweep(db) == 2
    assert db.execute(query, space) == [("kept.txt",)]
    chunks = "SELECT count(*) FROM todo.attachment_chunks WHERE space_id = %s"
    assert db.execute(chunks, space) == [(1,)]
    ask(Undo())
    assert [(each.name, each.removed) for each in ask(ListAttachments(number=number)).attachments][1] == (
        "gone.txt",
        True,
    )
    db.execute("DELETE FROM todo.task_tags WHERE space_id = %s", space)
    db.execute("DELETE FROM todo.tasks WHERE space_id = %s", space)
    assert sweep(db, days=0) >= 1
    assert db.execute(query, space) == []


def test_attachments_belong_to_the_space_and_viewers_only_read(db: Database, ask_as: AskAs) -> None:
    ada, bob, eve = db.person(), db.person(), db.person()
    share(db, ada.user_id, bob, "viewer")
    number = ask_as(ada).add("x").number
    (file,) = attach(ask_as(ada), number).attachments
    upload = start(ask_as(ada), number, b"more")
    viewer = ask_as(bob, space=ada.user_id)
    assert read_back(viewer, number, file.id) == b"bytes"
    stranger = ask_as(eve)
    stranger.add("mine")
    chunk = StoreChunk(number=number, id=upload.attachment.id, position=0, data=b"more")
    writes = (
        chunk,
        AddAttachment(number=number, id=upload.attachment.id),
        RemoveAttachment(number=number, id=file.id),
        StartUpload(number=number, id=new_id(), name="x", size=1, sha256="0" * 64),
    )
    for request in writes:
        with pytest.raises((NotAllowed, NotFound)):
            viewer(request)
    for request in (*writes[:3], ReadChunk(number=number, id=file.id, position=0)):
        with pytest.raises((NotAllowed, NotFound)):
            stranger(request)
    assert names(ask_as(ada), number) == ["notes.txt"]


def test_token_that_only_reads_uploads_nothing(db: Database, ask_as: AskAs, way: str) -> None:
    if way == "direct":
        pytest.skip("a direct login has a token of every scope")
    ada = db.person()
    number = ask_as(ada).add("x").number
    upload = start(ask_as(ada), number, b"more")
    reader = ask_as(ada, token=token_for(db, ada, "read"))
    with pytest.raises(NotAllowed):
        reader(StoreChunk(number=number, id=upload.attachment.id, position=0, data=b"more"))
    with pytest.raises(NotAllowed):
        start(reader, number, b"more")
