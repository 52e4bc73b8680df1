"""Reminders of tasks. A worker sends them to the channels of the user who has set them."""

from msgspec import UNSET, UnsetType

from todo_cli.contract.base import Asks
from todo_cli.contract.task_types import ReminderTexts
from todo_cli.contract.tasks import OnTasks


class RemindTasks(OnTasks, frozen=True, kw_only=True):
    """Remind the user of tasks: '1h before' they are due, or at a time.

    The reminders are added to the caller's own; with `replace` they replace them, and an empty list removes them. They
    follow the due date, and end when the task is done.
    """

    verb = "RemindTasks"
    label = "remind"
    past = "Set the reminders of"
    tool = "remind_task"
    route = "POST /v1/tasks/reminders"
    asks = Asks.SEVERAL

    remind: ReminderTexts = ()
    replace: bool | UnsetType = UNSET
