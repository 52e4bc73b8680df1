"""Rules for subtasks and blockers: what they refer to exists, no task is its own ancestor, and none waits for itself."""

from __future__ import annotations

from collections.abc import Sequence

from todo_cli.contract.limits import MAX_SUBTASK_DEPTH
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.load_sql import MAX_DEPENDENCIES
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import find_newest, missing_tasks, name_tasks, trashed_tasks
from todo_cli.core.tasks.store import loaded_rows
from todo_cli.errors import Invalid


def raise_for_references(loaded: Loaded, wanted: Wanted, effect: str = "changed") -> None:
    """Raise NotFound or Conflict for a new parent, blocker or source that does not exist or is in the trash."""
    statuses = dict(loaded.statuses)
    named = sorted({*wanted.parents, *wanted.blockers, *wanted.sources})
    if missing := [number for number in named if number not in statuses]:
        raise missing_tasks(missing, effect, newest=find_newest(loaded))
    if trashed := [number for number in named if statuses[number] == "deleted"]:
        raise trashed_tasks(trashed, effect)


def raise_for_cycles(loaded: Loaded, rows: Sequence[TaskRow], effect: str = "changed") -> None:
    """Raise Invalid where `rows` would make a cycle of parents or of blockers, or too many levels of subtasks."""
    before = loaded_rows(loaded)
    moved = [row for row in rows if row.parent and row.parent != _parent_of(before.get(row.number))]
    if moved:
        _raise_for_parents({**dict(loaded.ancestors), **{row.number: row.parent for row in rows}}, moved, effect)
    linked = [row for row in rows if row.after and row.after != _blockers_of(before.get(row.number))]
    if linked:
        _raise_for_blockers(loaded, rows, linked, effect)


def _parent_of(row: TaskRow | None) -> int | None:
    return row.parent if row else None


def _blockers_of(row: TaskRow | None) -> tuple[int, ...]:
    return row.after if row else ()


def _raise_for_parents(parents: dict[int, int | None], moved: Sequence[TaskRow], effect: str) -> None:
    in_cycle: list[int] = []
    too_deep: list[int] = []
    for row in moved:
        ancestor, depth = row.parent, 1
        while ancestor is not None and ancestor != row.number and depth <= MAX_SUBTASK_DEPTH:
            ancestor, depth = parents.get(ancestor), depth + 1
        if ancestor == row.number:
            in_cycle.append(row.number)
        elif ancestor is not None:
            too_deep.append(row.parent or 0)
    if in_cycle:
        raise Invalid(
            f"{name_tasks(in_cycle)} would be a subtask of itself; nothing was {effect}",
            hint="see the subtasks with: todo show N, todo list parent:N",
        )
    if too_deep:
        raise Invalid(
            f"subtasks of {name_tasks(too_deep)} would be more than {MAX_SUBTASK_DEPTH} levels deep; "
            f"nothing was {effect}"
        )


def _raise_for_blockers(
    loaded: Loaded, rows: Sequence[TaskRow], linked: Sequence[TaskRow], effect: str = "changed"
) -> None:
    if len(loaded.dependencies) >= MAX_DEPENDENCIES:
        raise Invalid(
            f"too many tasks wait for each other around {name_tasks([row.number for row in linked])}; "
            f"nothing was {effect}",
            hint="name fewer tasks at once",
        )
    blockers: dict[int, list[int]] = {}
    for number, blocker in loaded.dependencies:
        blockers.setdefault(number, []).append(blocker)
    blockers |= {row.number: list(row.after) for row in rows}
    in_cycle = [row.number for row in linked if _waits_for_itself(row.number, blockers)]
    if in_cycle:
        raise Invalid(
            f"{name_tasks(in_cycle)} would wait for itself; nothing was {effect}",
            hint=f"see its blockers with: todo show {in_cycle[0]}",
        )


def _waits_for_itself(number: int, blockers: dict[int, list[int]]) -> bool:
    visited: set[int] = set()
    pending = list(blockers.get(number, ()))
    while pending:
        blocker = pending.pop()
        if blocker == number:
            return True
        if blocker not in visited:
            visited.add(blocker)
            pending += blockers.get(blocker, ())
    return False
