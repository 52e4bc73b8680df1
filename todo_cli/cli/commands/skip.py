"""Skip an occurrence of recurring tasks."""

from __future__ import annotations

from todo_cli.cli.change_tasks import change_command
from todo_cli.contract.time_tracking import SkipTasks

PANEL = "Tasks"
HELP = """Skip an occurrence of recurring tasks. They move on to their next date.

todo skip 12

todo skip 12 --plan
"""

app = change_command(SkipTasks, help=HELP)
