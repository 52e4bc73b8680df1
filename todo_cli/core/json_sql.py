"""SQL for values that an answer holds as JSON."""

from __future__ import annotations

from typing import LiteralString


def format_instant(column: LiteralString) -> LiteralString:
    """Return a timestamptz as RFC 3339 text in UTC, whatever the session's settings."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
