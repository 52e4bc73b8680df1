"""Working on tasks: the clock of one, and what recurs."""

from __future__ import annotations

from todo_cli.contract.base import Asks
from todo_cli.contract.tasks import OnTasks


class StartTasks(OnTasks, frozen=True):
    """Say that work on tasks has begun: its time is counted until they are stopped or done. Started ones go on."""

    route = "POST /v1/tasks/starts"
    tool = True
    asks = Asks.SEVERAL


class StopTasks(OnTasks, frozen=True):
    """Say that work on tasks has paused, and count its time; without numbers: on all that are started."""

    route = "POST /v1/tasks/stops"
    tool = True


class SkipTasks(OnTasks, frozen=True):
    """Let one occurrence of recurring tasks pass: they move on to their next date."""

    route = "POST /v1/tasks/skips"
    tool = True
    asks = Asks.SEVERAL


REQUESTS = (StartTasks, StopTasks, SkipTasks)
