"""Time tracking: start and stop work on tasks, and skip occurrences of recurring ones."""

from todo_cli.contract.base import Asks
from todo_cli.contract.tasks import OnTasks


class StartTasks(OnTasks, frozen=True, kw_only=True):
    """Start work on tasks; their time is tracked until they are stopped or done."""

    verb = "StartTasks"
    label = "start"
    past = "Started"
    tool = "start_task"
    route = "POST /v1/tasks/starts"
    asks = Asks.SEVERAL


class StopTasks(OnTasks, frozen=True, kw_only=True):
    """Stop (pause) work on tasks and add the time to what is tracked; without numbers all started tasks."""

    verb = "StopTasks"
    label = "stop"
    past = "Stopped"
    tool = "stop_task"
    route = "POST /v1/tasks/stops"
    asks = Asks.SEVERAL
    needs_numbers = False


class SkipTasks(OnTasks, frozen=True, kw_only=True):
    """Skip one occurrence of recurring tasks: they move to their next date."""

    verb = "SkipTasks"
    label = "skip"
    past = "Skipped"
    tool = "skip_task"
    route = "POST /v1/tasks/skips"
    asks = Asks.SEVERAL
