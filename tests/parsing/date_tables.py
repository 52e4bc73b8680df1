"""The tables of documented dates, recurrences and quick-add texts, which the tests and `docs/dates.md` share."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

NOW = datetime(2026, 11, 27, 22, 0, tzinfo=UTC)  # the moment of every example: a Friday evening
FOLDER = Path(__file__).parent

_FORMS: dict[str, Any] = tomllib.loads((FOLDER / "forms.toml").read_text("utf-8"))
DATE_GROUPS: list[dict[str, Any]] = _FORMS["dates"]
RECURRENCE_GROUPS: list[dict[str, Any]] = _FORMS["recurrences"]
REFUSED: dict[str, list[list[str]]] = _FORMS["refused"]
QUICK_ADD: dict[str, list[dict[str, Any]]] = tomllib.loads((FOLDER / "quick_add.toml").read_text("utf-8"))


def format_moment(moment: date | datetime) -> str:
    """Return a date or an instant as `Fri 2026-12-04 09:00`."""
    return f"{moment:%a %Y-%m-%d %H:%M}" if isinstance(moment, datetime) else f"{moment:%a %Y-%m-%d}"
