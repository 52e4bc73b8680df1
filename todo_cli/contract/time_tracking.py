"""Working on tasks: the clock of one, and what recurs."""

from __future__ import annotations

from todo_cli.contract.base import Asks
from todo_cli.contract.tasks import OnTasks


class StartTasks(OnTasks, frozen=True, kw_only=True):
    """Say that work on tasks has begun: its time is counted until they are stopped or done. Started ones go on."""

    verb = "StartTasks"
    label = "start"
    past = "Started"
    tool = "start_task"
    route = "POST /v1/tasks/starts"
    asks = Asks.SEVERAL


class StopTasks(OnTasks, frozen=True, kw_only=True):
    """Say that work on tasks has paused, and count its time; without numbers: on all that are started."""

    verb = "StopTasks"
    label = "stop"
    past = "Stopped"
    tool = "stop_task"
    route = "POST /v1/tasks/stops"
    needs_numbers = False


class SkipTasks(OnTasks, frozen=True, kw_only=True):
    """Let one occurrence of recurring tasks pass: they move on to their next date."""

    verb = "SkipTasks"
    label = "skip"
    past = "Skipped"
    tool = "skip_task"
    route = "POST /v1/tasks/skips"
    asks = Asks.SEVERAL
