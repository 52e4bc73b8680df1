"""A worker inside a server process, where the operator wants one (`TODO_SERVE_WORKER`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from todo_cli.errors import Invalid
from todo_cli.settings.settings import Settings

if TYPE_CHECKING:
    from todo_cli.jobs.worker import Worker


class WorkerTask:
    """The running worker of a process."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._task = asyncio.create_task(worker.run())

    async def stop(self) -> None:
        """Take no more jobs, and wait for the running ones."""
        self._worker.stop()
        await asyncio.wait([self._task])


def run_worker(settings: Settings) -> WorkerTask:
    """Start a worker; raises Invalid without its login."""
    from todo_cli.jobs.options import read_options
    from todo_cli.jobs.worker import Worker

    if settings.worker_database_url is None:
        raise Invalid(
            "the worker in this server has no database login",
            hint="set TODO_WORKER_DATABASE_URL with the login todo_worker",
        )
    return WorkerTask(Worker(settings.worker_database_url.reveal(), read_options(settings)))
