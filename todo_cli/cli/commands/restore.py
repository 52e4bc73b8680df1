"""Restore tasks from the trash."""

from __future__ import annotations

from todo_cli.cli.change_tasks import change_command
from todo_cli.contract.trash import RestoreTasks

PANEL = "Tasks"
HELP = """Restore tasks from the trash, open or done as they were.

todo restore 12

todo restore 3 7-9 --json
"""

app = change_command(RestoreTasks, help=HELP)
