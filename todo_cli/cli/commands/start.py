"""Start tracking time on tasks."""

from __future__ import annotations

from todo_cli.cli.change_tasks import change_command
from todo_cli.contract.time_tracking import StartTasks

PANEL = "Tasks"
HELP = """Start tracking time on tasks, until they are stopped or done.

todo start 12

todo start 3 7 --json
"""

app = change_command(StartTasks, help=HELP)
