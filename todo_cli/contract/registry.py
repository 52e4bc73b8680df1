"""REQUESTS: everything that can be asked of the system, noun by noun."""

from __future__ import annotations

from typing import Any

from todo_cli.contract import chat, conversations, journal, plans, tasks, tokens, users
from todo_cli.contract.base import Request

REQUESTS: tuple[type[Request[Any]], ...] = (
    *tasks.REQUESTS,
    *journal.REQUESTS,
    *plans.REQUESTS,
    *tokens.REQUESTS,
    *users.REQUESTS,
    *conversations.REQUESTS,
    *chat.REQUESTS,
)
