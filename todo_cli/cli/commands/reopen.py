"""Reopen tasks that are done."""

from __future__ import annotations

from todo_cli.cli.change_tasks import change_command
from todo_cli.contract.tasks import ReopenTasks

PANEL = "Tasks"
HELP = """Reopen tasks that are done: all of them, or none if one is missing.

todo reopen 3

todo reopen 'project:home done>=yesterday'
"""

app = change_command(ReopenTasks, help=HELP)
