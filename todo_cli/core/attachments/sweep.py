"""Remove the files that nobody can reach any more: from the object store first, then from the database.

A row goes only after its objects. Killed anywhere, the next sweep finds the same rows, and removing an object twice is no
error: no object is left without a row.
"""

from __future__ import annotations

from msgspec import Struct

from todo_cli.contract.codec import decode
from todo_cli.db.pipeline import Connection
from todo_cli.db.service_statements import run_statement
from todo_cli.db.sql import Sql
from todo_cli.stores.objects import ObjectStore

FILES_PER_BATCH = 100
MAX_BATCHES = 1_000
"""Of one sweep, so that it ends although files cannot be removed as fast as they come."""

CHOOSE = Sql("""
SELECT coalesce(json_agg(json_build_object(
    'space', a.space_id, 'id', a.id, 'place', a.place, 'incoming', a.incoming,
    'object', a.object, 'is_unwanted', a.removing_at IS NOT NULL)), '[]')::text
FROM todo.sweep_attachments(
  make_interval(days => %(days)s::int), %(has_store)s::boolean, %(limit)s::int) a""")

FINISH = Sql("SELECT todo.finish_sweep(%(spaces)s::uuid[], %(ids)s::uuid[])")


class SweptFile(Struct):
    """A file to remove or, where it is not unwanted, one whose uploaded object may be left."""

    space: str
    id: str
    place: str
    is_unwanted: bool
    incoming: str | None = None
    object: str | None = None


async def sweep_attachments(connection: Connection, store: ObjectStore | None, retention_days: int) -> int:
    """Remove unfinished uploads that have expired and files that no task has listed for so many days.

    The connection is that of a server or a worker. Without a store only files of the database are removed. Returns the
    number of removed files; raises TodoError.
    """
    removed = 0
    for _ in range(MAX_BATCHES):
        values = {"days": retention_days, "has_store": store is not None, "limit": FILES_PER_BATCH}
        files = decode(await run_statement(connection, CHOOSE, values) or "[]", list[SweptFile])
        for file in files:
            if store and file.place == "store":
                await _remove_objects(store, file)
        await run_statement(
            connection, FINISH, {"spaces": [file.space for file in files], "ids": [file.id for file in files]}
        )
        removed += sum(file.is_unwanted for file in files)
        if len(files) < FILES_PER_BATCH:
            break
    return removed


async def _remove_objects(store: ObjectStore, file: SweptFile) -> None:
    if file.incoming:
        await store.remove_upload(file.incoming)
    await store.remove_copies(file.space, file.id, keep=None if file.is_unwanted else file.object)
