"""The sweep: rows that nobody needs any more, and files that no task lists."""

from __future__ import annotations

from datetime import timedelta

from todo_cli.jobs.job_queue import JobQueue, TakenJob
from todo_cli.jobs.options import WorkerOptions
from todo_cli.settings.settings import Settings

SWEEP_PAUSE = timedelta(hours=1)


async def run_sweep(queue: JobQueue, job: TakenJob, options: WorkerOptions) -> None:
    """Sweep the database and the object store, and queue the next sweep."""
    await queue.sweep(options.keep.usual)
    if options.keep.trash is not None:
        await queue.sweep_trash(options.keep.trash)
    if options.keep.texts is not None:
        await queue.sweep_texts(options.keep.texts)
    if options.files:
        await _sweep_files(options.database_url, options.files)
    await queue.finish(job)
    await queue.schedule_sweep(SWEEP_PAUSE)


async def _sweep_files(url: str, settings: Settings) -> None:
    from todo_cli.core.attachments.sweep import sweep_attachments
    from todo_cli.db.pipeline import connect
    from todo_cli.server.attachment_routes import open_object_store

    connection = await connect(url)
    try:
        await sweep_attachments(connection, open_object_store(settings), settings.store_retention_days)
    finally:
        await connection.close()
