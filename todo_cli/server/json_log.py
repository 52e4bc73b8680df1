"""Log what uvicorn and other libraries report as JSON lines, like the server's own lines."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import msgspec

LOG_CONFIG: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "todo_cli.server.json_log.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}
"""A configuration for `logging.config`, which uvicorn's workers read too."""


class JsonFormatter(logging.Formatter):
    """Formats a record as one line. Further lines and a trace's values are left out: they may quote a user's text."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry: dict[str, Any] = {
            "at": round(record.created, 3),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": (record.getMessage().splitlines() or [""])[0],
        }
        if record.exc_info and record.exc_info[0]:
            entry["error"] = record.exc_info[0].__name__
            entry["trace"] = "".join(traceback.format_tb(record.exc_info[2]))
        return msgspec.json.encode(entry).decode()
