"""REQUESTS: everything that can be asked of the system, noun by noun."""

from __future__ import annotations

from typing import Any

from todo_cli.contract import (
    chat,
    claims,
    comments,
    conversation_search,
    conversations,
    events,
    exporting,
    journal,
    plans,
    said,
    search,
    tasks,
    tokens,
    usage,
    users,
    views,
    work,
)  # fmt: skip
from todo_cli.contract.base import Request

REQUESTS: tuple[type[Request[Any]], ...] = (
    *tasks.REQUESTS,
    *work.REQUESTS,
    *claims.REQUESTS,
    *search.REQUESTS,
    *comments.REQUESTS,
    *journal.REQUESTS,
    *plans.REQUESTS,
    *tokens.REQUESTS,
    *users.REQUESTS,
    *conversations.REQUESTS,
    *chat.REQUESTS,
    *events.REQUESTS,
    *conversation_search.REQUESTS,
    *exporting.REQUESTS,
    *usage.REQUESTS,
    *said.REQUESTS,
    *views.REQUESTS,
)
