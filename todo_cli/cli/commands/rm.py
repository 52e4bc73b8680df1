"""Move tasks to the trash."""

from __future__ import annotations

from todo_cli.cli.change_tasks import change_command
from todo_cli.contract.trash import DeleteTasks

PANEL = "Tasks"
HELP = """Move tasks to the trash: all of them, or none if one is missing. They keep their numbers.

todo rm 12

todo rm 'project:old due<2025-01-01' --plan
"""

app = change_command(DeleteTasks, help=HELP)
