"""What was said about a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.text import format_age
from todo_cli.contract.task_types import Comment


def format_comments(comments: Iterable[Comment], now: datetime) -> Iterator[str]:
    """For people: who, when, the end of its id, and below it what."""
    for one in comments:
        edited = ", edited" if one.edited_at else ""
        yield f"  {escape(one.user)}, {format_age(one.at, now)}{edited} ({one.id[-6:]})"
        yield from (f"    {line}" for line in escape_block(one.text).split("\n"))


def comment_rows(comments: Iterable[Comment]) -> Iterator[str]:
    """For a pipe, one a line: id, user, time, text."""
    for one in comments:
        yield "\t".join(escape(cell) for cell in (one.id, one.user, one.at.isoformat(), one.text))
