"""The order of tasks by hand: the Requests that move tasks and sort them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from todo_cli.contract.base import Number, Request
from todo_cli.contract.filters import SortOrder
from todo_cli.contract.limits import MAX_TASKS_PER_CHANGE
from todo_cli.contract.task_types import Changed
from todo_cli.contract.tasks import OnTasks


class MoveTasks(Request[Changed], frozen=True, kw_only=True):
    """Move tasks within the order by hand, one after the other: before an open task, behind one, or to an end.

    `position` of a task says where it stands, and the sort `position` lists tasks so. Exactly one of `before`,
    `behind`, `first` and `last` says where to.
    """

    verb = "MoveTasks"
    label = "move"
    past = "Moved"
    route = "POST /v1/tasks/moves"
    scope = "tasks:write"

    numbers: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_TASKS_PER_CHANGE)]
    before: Number | UnsetType = UNSET
    behind: Number | UnsetType = UNSET
    first: bool = False
    last: bool = False


class SortTasks(OnTasks, frozen=True, kw_only=True):
    """Sort tasks within the order by hand: they exchange their places, and all other tasks keep theirs."""

    verb = "SortTasks"
    label = "sort"
    past = "Sorted"
    route = "POST /v1/tasks/sorting"

    by: SortOrder
