"""The position of a follower: what it asks for next, and which part of an answer is new."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from todo_cli.contract.change_feed import ChangeBatch, FollowChanges, ReminderPosition


class FeedPosition:
    """The cursor behind the last change, and the reminders that were seen."""

    def __init__(self, *, filter: str | None, cursor: int | None, reminded_since: datetime | None) -> None:
        self.cursor, self._filter = cursor, filter
        self._reminders = ReminderPosition(reminded_since)

    @property
    def next_request(self) -> FollowChanges:
        """Return the request for what follows."""
        return FollowChanges(after=self.cursor, filter=self._filter, reminded_since=self._reminders.since)

    def take(self, batch: ChangeBatch) -> ChangeBatch | None:
        """Move behind the batch and return it with the reminders that are new; None where nothing in it is new."""
        reminders = self._reminders.take(batch.reminders)
        is_new = batch.cursor != self.cursor or bool(reminders)
        self.cursor = batch.cursor
        return replace(batch, reminders=reminders) if is_new else None
