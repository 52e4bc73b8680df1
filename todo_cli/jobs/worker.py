"""The loop of a worker: take what is due, then sleep until the next job is due or the database notifies.

Notifications come on a connection of their own, past any pooler. They only shorten the sleep: a lost one costs at most
MAX_SLEEP_SECONDS.
"""

from __future__ import annotations

import asyncio
import logging
import random
import traceback
from datetime import timedelta

import psycopg

from todo_cli.errors import TodoError
from todo_cli.jobs.delivery import MAX_TRIES, NEVER, run_job
from todo_cli.jobs.job_queue import NOTIFY_CHANNEL, JobQueue, TakenJob, connect_worker
from todo_cli.jobs.kinds import select_kinds
from todo_cli.jobs.options import WorkerOptions

MAX_CONCURRENT_JOBS = 8
MAX_SLEEP_SECONDS = 300.0
"""An idle worker asks the database this often, twelve times an hour."""
RECONNECT_SECONDS = 1.0

log = logging.getLogger("todo.worker")


class Worker:
    """One worker over one database. Any number may run: each job is leased to one of them."""

    def __init__(self, url: str, options: WorkerOptions) -> None:
        self._url, self._options = url, options._replace(database_url=url)
        self._has_news = asyncio.Event()
        self._is_stopping = False
        self._kinds: list[str] = []
        self._running: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Take no more jobs, and end when the running ones have ended."""
        self._is_stopping = True
        self._has_news.set()

    async def run(self) -> None:
        """Work until `stop`. A lost database is waited for; the leases of its jobs run out meanwhile."""
        self._kinds = await select_kinds(self._options)
        listener = asyncio.create_task(self._listen())
        try:
            while not self._is_stopping:
                try:
                    async with await connect_worker(self._url) as connection:
                        await self._work(JobQueue(connection))
                        await self._wait_for_jobs()
                except (psycopg.Error, TodoError) as error:
                    await self._pause(error)
        finally:
            listener.cancel()
            await self._wait_for_jobs()

    async def run_once(self) -> int:
        """Run the jobs that are due now and return their number; raises TodoError without a database."""
        count, self._kinds = 0, await select_kinds(self._options)
        async with await connect_worker(self._url) as connection:
            queue = JobQueue(connection)
            await queue.schedule_sweep(timedelta(0))
            while jobs := await queue.take(MAX_CONCURRENT_JOBS, self._options.lease, self._kinds):
                for job in jobs:
                    self._start(queue, job)
                count += len(jobs)
                await self._wait_for_jobs()
        return count

    async def _wait_for_jobs(self) -> None:
        if self._running:
            await asyncio.wait(self._running)

    async def _pause(self, error: Exception) -> None:
        log.warning("the database is unavailable: %s", str(error).splitlines()[0] if str(error) else "no answer")
        await self._wait_for_jobs()
        if not self._is_stopping:
            await asyncio.sleep(RECONNECT_SECONDS * (1 + random.random()))  # noqa: S311  # so that workers spread

    async def _listen(self) -> None:
        while True:
            try:
                async with await connect_worker(self._url) as connection:
                    await connection.execute(f"LISTEN {NOTIFY_CHANNEL}")
                    self._has_news.set()  # jobs that came while nobody listened
                    async for _ in connection.notifies():
                        self._has_news.set()
            except (psycopg.Error, TodoError):
                await asyncio.sleep(RECONNECT_SECONDS * (1 + random.random()))  # noqa: S311  # as above

    async def _work(self, queue: JobQueue) -> None:
        await queue.schedule_sweep(timedelta(0))
        while not self._is_stopping:
            self._has_news.clear()
            room = MAX_CONCURRENT_JOBS - len(self._running)
            jobs = await queue.take(room, self._options.lease, self._kinds) if room else []
            for job in jobs:
                self._start(queue, job)
            if not room:
                await self._sleep(None)  # until a job ends
            elif len(jobs) < room:
                await self._sleep(await queue.seconds_until_due(self._kinds))

    async def _sleep(self, seconds: float | None) -> None:
        """Sleep until the next job is due, a notification comes, or a running job ends."""
        limit = MAX_SLEEP_SECONDS if seconds is None else min(MAX_SLEEP_SECONDS, max(0.0, seconds))
        try:
            async with asyncio.timeout(limit):
                await self._has_news.wait()
        except TimeoutError:
            pass

    def _start(self, queue: JobQueue, job: TakenJob) -> None:
        task = asyncio.create_task(self._run_leased(queue, job))
        self._running.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._has_news.set()

    async def _run_leased(self, queue: JobQueue, job: TakenJob) -> None:
        """Run a job while its lease is extended. A job that this worker cannot end is due again when its lease ends."""
        renewal = asyncio.create_task(self._renew(queue, job))
        try:
            await run_job(queue, job, self._options)
        except psycopg.Error as error:
            log.warning("a job was left to the next worker: %s", type(error).__name__)
        except TodoError as error:
            await self._give_back(queue, job, str(error))
        except Exception as error:
            # frames alone: the message of an error may quote what a user wrote
            frames = "".join(traceback.format_tb(error.__traceback__))
            log.error("a job failed: %s\n%s", type(error).__name__, frames)
            await self._give_back(queue, job, f"a bug: {type(error).__name__}")
        finally:
            renewal.cancel()

    async def _give_back(self, queue: JobQueue, job: TakenJob, reason: str) -> None:
        # the sweep is never given up
        max_tries = NEVER if job.kind == "sweep" else MAX_TRIES
        try:
            await queue.fail(job, self._options.pause(job.tries), max_tries, reason)
        except psycopg.Error:
            log.warning("a failed job was left to the next worker")

    async def _renew(self, queue: JobQueue, job: TakenJob) -> None:
        while True:
            await asyncio.sleep(self._options.lease.total_seconds() / 3)
            try:
                if not await queue.renew(job, self._options.lease):
                    return
            except psycopg.Error:
                return
