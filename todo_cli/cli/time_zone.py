"""Describe the user's time zone, and the machine's where it has other times."""

from __future__ import annotations

import os

from todo_cli.cli.session import Session


def describe_zone(session: Session, preference: str | None) -> str:
    """Return `Europe/Berlin (your preference); this machine is in Asia/Tokyo`, with how to change it."""
    from todo_cli.parsing.system_zone import have_same_times, system_zone

    chosen = session.settings.timezone
    zone = chosen or preference or "UTC"
    setter = "TODO_TIMEZONE" if os.environ.get("TODO_TIMEZONE") else "the profile"
    source = f"set by {setter}" if chosen else "your preference" if preference else "the default"
    here = system_zone()
    if have_same_times(zone, here, session.clock.now):
        return f"{zone} ({source})"
    change = "" if chosen else f" (to use it: todo prefs --timezone {here})"
    return f"{zone} ({source}); this machine is in {here}{change}"
