"""The trash: deleted tasks, which can be restored."""

from todo_cli.contract.base import Asks
from todo_cli.contract.tasks import OnTasks


class DeleteTasks(OnTasks, frozen=True, kw_only=True):
    """Move tasks to the trash; they keep their numbers and can be restored."""

    verb = "DeleteTasks"
    label = "rm"
    past = "Deleted"
    tool = "delete_task"
    tool_always = True
    route = "POST /v1/tasks/deletion"
    asks = Asks.ALWAYS


class RestoreTasks(OnTasks, frozen=True, kw_only=True):
    """Restore deleted tasks: bring them back from the trash."""

    verb = "RestoreTasks"
    label = "restore"
    past = "Restored"
    tool = "restore_task"
    tool_always = True
    route = "POST /v1/tasks/restoration"
    asks = Asks.SEVERAL
