"""HANDLERS: which function answers which Request, noun by noun."""

from __future__ import annotations

from typing import TypeVar

from todo_cli.contract.base import Request
from todo_cli.core import (
    approvals,
    chat,
    claims,
    comments,
    conversation_search,
    conversations,
    exporting,
    journal,
    listing,
    plans,
    replaying,
    said,
    search,
    tasks,
    tokens,
    turn_undo,
    turns,
    undo,
    usage,
    users,
    views,
    work,
)  # fmt: skip
from todo_cli.core.rules import Rules
from todo_cli.db.connect import Tx

R = TypeVar("R")

HANDLERS: Rules = {
    **tasks.HANDLERS,
    **work.HANDLERS,
    **claims.HANDLERS,
    **listing.HANDLERS,
    **search.HANDLERS,
    **comments.HANDLERS,
    **journal.HANDLERS,
    **undo.HANDLERS,
    **plans.HANDLERS,
    **tokens.HANDLERS,
    **users.HANDLERS,
    **views.HANDLERS,
    **turns.HANDLERS,
    **chat.HANDLERS,
    **approvals.HANDLERS,
    **replaying.HANDLERS,
    **conversations.HANDLERS,
    **conversation_search.HANDLERS,
    **exporting.HANDLERS,
    **usage.HANDLERS,
    **turn_undo.HANDLERS,
    **said.HANDLERS,
}


async def handle(tx: Tx, request: Request[R]) -> R:
    """Answer one request inside its transaction; raises TodoError."""
    answer: R = await HANDLERS[type(request)](tx, request)
    return answer
