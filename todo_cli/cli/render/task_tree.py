"""Put the subtasks of a list under their parents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from todo_cli.cli.render.signs import Signs
from todo_cli.contract.tasks import Task

MAX_INDENT_LEVELS = 4


class TreeNode(NamedTuple):
    """A task in the tree of a list. `root` is the task at the top of its branch."""

    task: Task
    root: Task
    depth: int = 0
    is_last: bool = False


def nest_tasks(tasks: Sequence[Task]) -> Iterator[TreeNode]:
    """Yield the tasks in their order, each followed by its subtasks."""
    numbers = {task.number for task in tasks}
    children: dict[int | None, list[Task]] = {}
    for task in tasks:
        children.setdefault(task.parent if task.parent in numbers else None, []).append(task)
    waiting = [TreeNode(task, task) for task in reversed(children.get(None, []))]
    while waiting:
        node = waiting.pop()
        yield node
        below = children.get(node.task.number, [])
        waiting += [TreeNode(child, node.root, node.depth + 1, child is below[-1]) for child in reversed(below)]


def format_branch(node: TreeNode, signs: Signs) -> str:
    """Return the part of the tree before the title; levels below the fourth are drawn there, with an ellipsis."""
    if node.depth == 0:
        return ""
    shown = min(node.depth, MAX_INDENT_LEVELS)
    deeper = signs.ellipsis if node.depth > MAX_INDENT_LEVELS else ""
    return "  " * (shown - 1) + (signs.last_branch if node.is_last else signs.branch) + deeper
