"""The answer of `todo ready --explain`, which the command composes of two lists."""

from msgspec import UNSET, Struct, UnsetType

from todo_cli.contract.task_types import Task


class WaitingTask(Struct, frozen=True, kw_only=True):
    """An open task that is not ready, and the reasons: `blocked by #3 Paint`, `claimed by ada until 10:15`."""

    number: int
    title: str
    reasons: tuple[str, ...]


class ReadyTasks(Struct, frozen=True, kw_only=True):
    """The ready tasks with the parts of their urgency, and the tasks that are not ready, the most urgent first.

    `cut` says that more exist.
    """

    tasks: tuple[Task, ...]
    waiting: tuple[WaitingTask, ...]
    cut: bool | UnsetType = UNSET
