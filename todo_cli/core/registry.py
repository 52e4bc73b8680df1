"""Imports every module that defines handlers, so that `handle` answers every Request."""

from __future__ import annotations

from todo_cli.core.accounts import tokens, usage, users  # noqa: F401
from todo_cli.core.conversations import conversations, import_messages, prompt_history  # noqa: F401
from todo_cli.core.conversations import search as message_search  # noqa: F401
from todo_cli.core.dispatch import HANDLERS, handle
from todo_cli.core.filters import views  # noqa: F401
from todo_cli.core.history import log, plans, undo  # noqa: F401
from todo_cli.core.tasks import add, claim, comments, complete, edit, list, recur, search, time_tracking, trash  # noqa: F401
from todo_cli.core.turns import approvals, lifecycle, replay, steps  # noqa: F401
from todo_cli.core.turns import undo as turn_undo  # noqa: F401

__all__ = ["HANDLERS", "handle"]
