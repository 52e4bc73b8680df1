"""Format the times of jobs and deliveries."""

from __future__ import annotations

from datetime import datetime

from todo_cli.cli.render import text
from todo_cli.cli.session import Session


def format_moment(when: datetime | None, session: Session) -> str:
    """Return `today 17:00` in the user's zone on a terminal, and as JSON has it in a pipe."""
    if when is None:
        return ""
    if not session.is_terminal:
        return text.format_instant(when)
    instant, zone = text.format_instant(when), session.load_zone()
    short = text.format_due(instant, zone, session.clock.now, absolute=session.absolute_dates)
    return short if ":" in short else text.format_full_due(instant, zone, session.clock.now)
