"""REQUESTS: everything that can be asked of the system, on one screen."""

from __future__ import annotations

from typing import Any

from todo_cli.contract import journal, tasks, tokens, users
from todo_cli.contract.base import Request

REQUESTS: tuple[type[Request[Any]], ...] = (
    tasks.AddTask,
    tasks.AddTasks,
    tasks.ListTasks,
    tasks.ShowTask,
    tasks.CompleteTasks,
    tasks.ReopenTasks,
    tasks.EditTasks,
    tasks.DeleteTasks,
    tasks.RestoreTasks,
    journal.ListChanges,
    journal.Undo,
    journal.Redo,
    tokens.CreateToken,
    tokens.ListTokens,
    tokens.RevokeToken,
    users.WhoAmI,
    users.ListSpaces,
    users.AddUser,
    users.ListUsers,
    users.DisableUser,
)
