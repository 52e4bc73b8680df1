"""Jobs and deliveries: what is scheduled, what was sent, and what could not be."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from todo_cli.contract.base import Limit, Request
from todo_cli.contract.limits import MAX_INTEGER
from todo_cli.contract.tokens import Id

JobState = Literal["scheduled", "retrying", "dead"]
DeliveryState = Literal["waiting", "sending", "sent", "failed", "dead", "unknown"]


class Job(Struct, frozen=True, kw_only=True):
    """Scheduled work: a reminder of a task at a `moment`, or messages to the channel `about`.

    A worker takes it at `due`. A retried job has failed `tries` times with `error`; a dead one was given up.
    """

    id: str
    kind: Literal["reminder", "changes", "test"]
    state: JobState
    about: str
    task: int | None = None
    title: str | None = None
    moment: datetime | None = None
    due: datetime
    tries: int
    error: str | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """A message to a channel: a reminder, a change of the space with its `seq`, or a test.

    Every reminder also has a delivery without a channel, which is this list itself. `unknown`: the worker died while it
    sent the message to a channel that cannot tell a repetition, so it was not sent again.
    """

    id: str
    kind: Literal["reminder", "changes", "test"]
    channel: str
    state: DeliveryState
    task: int | None = None
    title: str | None = None
    moment: datetime | None = None
    seq: int | None = None
    at: datetime
    error: str | None = None


class JobPage(Struct, frozen=True, kw_only=True):
    """The caller's jobs in this space: dead ones, then by the time at which they are due; and the newest deliveries."""

    jobs: tuple[Job, ...]
    deliveries: tuple[Delivery, ...]


class ListJobs(Request[JobPage], frozen=True, kw_only=True):
    """List my reminders and other jobs, and the newest deliveries; those of one task with `number`."""

    verb = "ListJobs"
    label = "jobs list"
    route = "GET /v1/jobs"
    write = False

    number: Annotated[int, Meta(ge=1, le=MAX_INTEGER)] | None = None
    limit: Limit = 50


class RetriedJobs(Struct, frozen=True, kw_only=True):
    """The number of jobs and dead letters that are due again."""

    retried: int


class RetryJobs(Request[RetriedJobs], frozen=True, kw_only=True):
    """Try a dead job or letter again, all of mine without `id`."""

    verb = "RetryJobs"
    label = "jobs retry"
    past = "Retried"
    route = "POST /v1/jobs/retry"
    scope = "tasks:write"
    needs_unlimited = True

    id: Id | None = None
