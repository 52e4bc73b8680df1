"""Following the changes of a space: the next ones after a cursor, oldest first."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from todo_cli.contract.base import Limit, Request
from todo_cli.contract.filters import Filter
from todo_cli.contract.journal import Change
from todo_cli.contract.limits import MAX_INTEGER

ChangeCursor = Annotated[
    int, Meta(ge=0, le=MAX_INTEGER, description="follow the changes after this one; 0 is before the first one")
]

MAX_REMINDERS = 100
"""Reminders in one batch: the newest ones."""
COMMIT_ORDER_SECONDS = 120.0
"""Two reminders may commit in another order than that of their times, but not further apart than this."""


class SentReminder(Struct, frozen=True, kw_only=True):
    """A reminder of the caller: it was wanted for `moment`, and a worker has sent it `at` a time."""

    id: str
    number: int
    title: str
    due: str | None = None
    moment: datetime
    at: datetime


class ChangeBatch(Struct, frozen=True, kw_only=True):
    """Changes, oldest first. `cursor` continues after them, and after those that the filter left out.

    `more` says that more changes are there already. `reminders` has those that were sent since the requested time.
    """

    changes: tuple[Change, ...] = ()
    reminders: tuple[SentReminder, ...] = ()
    cursor: int
    more: bool = False


class FollowChanges(Request[ChangeBatch], frozen=True, kw_only=True):
    """Read the next changes after a cursor, oldest first; without `after` none, but the cursor of now.

    With a filter only changes of tasks that match before or after the change, and comments on matching tasks.
    `limit` counts the changes that are looked at. With `reminded_since` also the caller's reminders that were sent
    since then, those of matching tasks with a filter.
    """

    verb = "FollowChanges"
    label = "watch"
    past = "Read"
    route = "GET /v1/changes/feed"
    write = False

    after: ChangeCursor | None = None
    filter: Filter | None = None
    limit: Limit = 200
    reminded_since: Annotated[datetime, Meta(tz=True)] | None = None


class ReminderPosition:
    """Finds the reminders that are new to a reader. Each is found once, in whatever order they commit.

    `since` is what the next request asks for; None: no reminders.
    """

    def __init__(self, since: datetime | None) -> None:
        self.since = since
        self._seen: dict[str, datetime] = {}

    def take(self, reminders: Sequence[SentReminder]) -> tuple[SentReminder, ...]:
        """Return the reminders that were not taken before."""
        taken = tuple(reminder for reminder in reminders if reminder.id not in self._seen)
        self._seen |= {reminder.id: reminder.at for reminder in taken}
        if self.since and taken:
            newest = max(reminder.at for reminder in taken)
            self.since = max(self.since, newest - timedelta(seconds=COMMIT_ORDER_SECONDS))
            self._seen = {id: at for id, at in self._seen.items() if at >= self.since}
        return taken
