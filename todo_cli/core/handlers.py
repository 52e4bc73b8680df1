"""HANDLERS: which function answers which Request, on one screen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from todo_cli.contract import journal as journal_requests
from todo_cli.contract import tasks as task_requests
from todo_cli.contract import tokens as token_requests
from todo_cli.contract import users as user_requests
from todo_cli.contract.base import Request
from todo_cli.core import journal, listing, tasks, tokens, undo, users
from todo_cli.db.connect import Tx

R = TypeVar("R")

HANDLERS: dict[type[Request[Any]], Callable[[Tx, Any], Awaitable[Any]]] = {
    task_requests.AddTask: tasks.add_task,
    task_requests.AddTasks: tasks.add_tasks,
    task_requests.ListTasks: listing.list_tasks,
    task_requests.ShowTask: tasks.show_task,
    task_requests.CompleteTasks: tasks.complete_tasks,
    task_requests.ReopenTasks: tasks.reopen_tasks,
    task_requests.EditTasks: tasks.edit_tasks,
    task_requests.DeleteTasks: tasks.delete_tasks,
    task_requests.RestoreTasks: tasks.restore_tasks,
    journal_requests.ListChanges: journal.list_changes,
    journal_requests.Undo: undo.undo,
    journal_requests.Redo: undo.redo,
    token_requests.CreateToken: tokens.create_token,
    token_requests.ListTokens: tokens.list_tokens,
    token_requests.RevokeToken: tokens.revoke_token,
    user_requests.WhoAmI: users.who_am_i,
    user_requests.ListSpaces: users.list_spaces,
    user_requests.AddUser: users.add_user,
    user_requests.ListUsers: users.list_users,
    user_requests.DisableUser: users.disable_user,
}


async def handle(tx: Tx, request: Request[R]) -> R:
    """Answer one request inside its transaction; raises TodoError."""
    answer: R = await HANDLERS[type(request)](tx, request)
    return answer
