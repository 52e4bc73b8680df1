"""The queue as a worker sees it: functions of the database, each call a transaction of its own.

A job is leased by moving its due time. A worker that was overtaken holds an old attempt, and changes nothing with it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import psycopg

from todo_cli.db.errors import translate_error
from todo_cli.db.schema_version import SCHEMA_VERSION
from todo_cli.errors import Unavailable
from todo_cli.jobs.messages import ChannelAddress, JobMessage

NOTIFY_CHANNEL = "todo_jobs"
MAX_SWEPT_ROWS = 5_000
CONNECT_SECONDS = 10

VERSIONS = "SELECT version, oldest FROM todo.schema"
TAKE = """
SELECT space_id::text, id::text, kind, user_id::text, ref, attempt, tries
  FROM todo.take_jobs(%s, %s, %s)"""


class TakenJob(NamedTuple):
    """A job that is leased to this worker. `attempt` is its fencing token."""

    space: str
    id: str
    kind: str
    user: str
    ref: str
    attempt: int
    tries: int


class UntitledConversation(msgspec.Struct, frozen=True):
    """A conversation with its model, and the message and the answer of its first turn."""

    title: str
    model: str | None
    question: str
    answer: str


class JobQueue:
    """One connection of a worker. Its calls may overlap: the connection runs them one after the other."""

    def __init__(self, connection: psycopg.AsyncConnection[Any]) -> None:
        self._connection = connection

    async def take(self, limit: int, lease: timedelta, kinds: list[str]) -> list[TakenJob]:
        """Lease jobs of some kinds that are due."""
        rows = await (await self._connection.execute(TAKE, [limit, lease, kinds])).fetchall()
        return [TakenJob(*row) for row in rows]

    async def seconds_until_due(self, kinds: list[str]) -> float | None:
        """Return the seconds until the next job of some kinds is due, None without one."""
        seconds: float | None = await self._fetch("SELECT todo.next_job_due(%s)", kinds)
        return seconds

    async def renew(self, job: TakenJob, lease: timedelta) -> bool:
        """Extend the lease; return whether the job is still this worker's."""
        call = "SELECT todo.renew_job(%s, %s, %s, %s)"
        return bool(await self._fetch(call, job.space, job.id, job.attempt, lease))

    async def finish(self, job: TakenJob) -> None:
        """Delete a job that is done; more work that came meanwhile keeps it."""
        await self._fetch("SELECT todo.finish_job(%s, %s, %s)", job.space, job.id, job.attempt)

    async def fail(self, job: TakenJob, pause: timedelta, max_tries: int, error: str) -> None:
        """Try a job again after a pause, or give it up after so many failures in a row."""
        call = "SELECT todo.fail_job(%s, %s, %s, %s, %s, %s)"
        await self._fetch(call, job.space, job.id, job.attempt, pause, max_tries, error)

    async def open(self, job: TakenJob) -> JobMessage | None:
        """Return the job's message and its open deliveries; None where nothing is to be sent any more."""
        function = {"reminder": "open_reminder", "test": "open_test", "changes": "open_change"}[job.kind]
        text = await self._fetch(f"SELECT todo.{function}(%s, %s, %s)::text", job.space, job.id, job.attempt)
        return msgspec.json.decode(text, type=JobMessage) if text else None

    async def begin_delivery(self, job: TakenJob, channel: ChannelAddress) -> str | None:
        """Mark a delivery as going out and return its former state; None where it must not go out."""
        call = "SELECT todo.begin_delivery(%s, %s, %s, %s)"
        state: str | None = await self._fetch(call, job.space, job.id, job.attempt, channel.id)
        return state

    async def end_delivery(self, job: TakenJob, channel: ChannelAddress, state: str, error: str | None) -> None:
        """Store how a delivery ended."""
        call = "SELECT todo.end_delivery(%s, %s, %s, %s, %s, %s)"
        await self._fetch(call, job.space, job.user, job.attempt, channel.id, state, error)

    async def open_title(self, job: TakenJob) -> UntitledConversation | None:
        """Return the conversation that a job is to title, None where no title is wanted any more."""
        text = await self._fetch("SELECT todo.open_title(%s, %s, %s)::text", job.space, job.id, job.attempt)
        return msgspec.json.decode(text, type=UntitledConversation) if text else None

    async def store_title(self, job: TakenJob, first_words: str, title: str | None, model: str, usage: Any) -> None:
        """Store a title in place of the first words, and the usage of the call; the job is done."""
        call = "SELECT todo.store_title(%s, %s, %s, %s, %s, %s, %s::jsonb)"
        usage = None if usage is None else msgspec.json.encode(usage).decode()
        await self._fetch(call, job.space, job.id, job.attempt, first_words, title, model, usage)

    async def schedule_sweep(self, pause: timedelta) -> None:
        """Queue the sweep, unless it is queued."""
        await self._fetch("SELECT todo.schedule_sweep(%s)", pause)

    async def sweep(self, keep: timedelta) -> dict[str, int]:
        """Delete what nobody needs any more; return the number of rows of each kind."""
        text = await self._fetch("SELECT todo.sweep(%s, %s)::text", keep, MAX_SWEPT_ROWS)
        return msgspec.json.decode(text, type=dict[str, int])

    async def sweep_trash(self, keep: timedelta) -> dict[str, int]:
        """Delete what was removed before; return the number of tasks and of conversations."""
        text = await self._fetch("SELECT todo.sweep_trash(%s, %s)::text", keep, MAX_SWEPT_ROWS)
        return msgspec.json.decode(text, type=dict[str, int])

    async def sweep_texts(self, keep: timedelta) -> int:
        """Drop long texts of older changes; return the number of those changes."""
        return int(await self._fetch("SELECT todo.sweep_texts(%s, %s)", keep, MAX_SWEPT_ROWS))

    async def _fetch(self, statement: Any, *values: object) -> Any:
        row = await (await self._connection.execute(statement, values)).fetchone()
        return row[0] if row else None


async def connect_worker(url: str) -> psycopg.AsyncConnection[Any]:
    """Open a worker's connection; raises TodoError, also for a database of another schema."""
    try:
        connection = await psycopg.AsyncConnection.connect(
            url, autocommit=True, connect_timeout=CONNECT_SECONDS, application_name="todo worker"
        )
        row = await (await connection.execute(VERSIONS)).fetchone()
    except psycopg.Error as error:
        raise translate_error(error) from error
    if row and row[1] <= SCHEMA_VERSION <= row[0]:
        return connection
    await connection.close()
    raise Unavailable(
        f"the database does not serve this todo, which needs schema {SCHEMA_VERSION}",
        hint="its operator runs: todo db migrate",
    )
