"""Reminders that are due now."""

from __future__ import annotations

from tests.jobs.conftest import Post
from todo_cli.contract.tasks import AddTask

DUE = "2030-06-03T09:00:00Z"


def remind(post: Post, title: str = "Zahnarzt – um 9") -> int:
    """Add a task whose reminder is due now, and three hours late."""
    number: int = post(AddTask(title=title, due=DUE, remind=("1h",), priority=1)).number
    post.make_due()
    return number
