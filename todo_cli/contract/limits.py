"""Limits that users meet."""

from __future__ import annotations

MAX_TASKS_PER_CHANGE = 10_000
MAX_CHANGE_BYTES = 64 * 1024 * 1024  # of the tasks that one change reads or stores
MAX_TAGS_PER_TASK = 100
MAX_BLOCKERS_PER_TASK = 100
MAX_SUBTASK_DEPTH = 50
MAX_KEY_CHARS = 200  # of an idempotency key
MAX_BODY_BYTES = 2 * 1024 * 1024  # of a request, streams and imports apart
