"""Format the attachments of a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import format_age
from todo_cli.contract.task_types import Attachment

SHORT_ID_CHARS = 6


def format_size(size: int) -> str:
    """Return `512 B`, `24 kB`, `1.3 MB`."""
    if size < 1_000:
        return f"{size} B"
    if size < 999_500:
        return f"{size / 1_000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"


def describe_attachment(attachment: Attachment) -> str:
    """Return `receipt.pdf (24 kB)`."""
    return f"{escape(attachment.name)} ({format_size(attachment.size)})"


def format_attachments(
    attachments: Iterable[Attachment], now: datetime, zone: tzinfo | None = None, *, absolute: bool = False
) -> Iterator[str]:
    """Yield a line per attachment: name, size, age and the end of the id."""
    for attachment in attachments:
        gone = ", removed for good" if attachment.removed is True else ""
        age = format_age(attachment.at, now, zone, absolute=absolute)
        yield f"  {describe_attachment(attachment)}, {age}{gone} ({attachment.id[-SHORT_ID_CHARS:]})"
