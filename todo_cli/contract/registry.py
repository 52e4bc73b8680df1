"""REQUESTS: everything that can be asked of the system, noun by noun."""

from __future__ import annotations

from typing import Any

from todo_cli.contract import (
    claims,
    comments,
    conversation_export,
    conversations,
    journal,
    message_search,
    plans,
    prompt_history,
    search,
    tasks,
    time_tracking,
    tokens,
    turn_events,
    turn_steps,
    usage,
    users,
    views,
)
from todo_cli.contract.base import Request

REQUESTS: tuple[type[Request[Any]], ...] = (
    *tasks.REQUESTS,
    *time_tracking.REQUESTS,
    *claims.REQUESTS,
    *search.REQUESTS,
    *comments.REQUESTS,
    *journal.REQUESTS,
    *plans.REQUESTS,
    *tokens.REQUESTS,
    *users.REQUESTS,
    *conversations.REQUESTS,
    *turn_steps.REQUESTS,
    *turn_events.REQUESTS,
    *message_search.REQUESTS,
    *conversation_export.REQUESTS,
    *usage.REQUESTS,
    *prompt_history.REQUESTS,
    *views.REQUESTS,
)
