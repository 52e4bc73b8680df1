"""Format the comments of a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.render.text import format_age, format_instant
from todo_cli.contract.task_types import Comment

SHORT_ID_CHARS = 6


def format_comments(
    comments: Iterable[Comment], now: datetime, zone: tzinfo | None = None, *, absolute: bool = False
) -> Iterator[str]:
    """Yield lines for a terminal: user, age and the end of the id, then the text."""
    for comment in comments:
        edited = ", edited" if comment.edited_at else ""
        if comment.imported_by and comment.imported_by != comment.user:
            edited += f", imported by {escape(comment.imported_by)}"
        age = format_age(comment.at, now, zone, absolute=absolute)
        yield f"  {escape(comment.user)}, {age}{edited} ({comment.id[-SHORT_ID_CHARS:]})"
        yield from (f"    {line}" for line in escape_block(comment.text).split("\n"))


def comment_rows(comments: Iterable[Comment]) -> Iterator[str]:
    """Yield a line per comment for a pipe: id, user, time, text."""
    for comment in comments:
        cells = (comment.id, comment.user, format_instant(comment.at), comment.text)
        yield "\t".join(escape(cell) for cell in cells)
