"""Add one task or many, all or none.

Tasks without a parent and blockers need nothing of what is stored: one statement adds them. The others are a write like
all others.
"""

from __future__ import annotations

from typing import Any

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.tasks import AddTask, AddTasks, Changed, NewTask, Task
from todo_cli.core.dispatch import handler
from todo_cli.core.journal import make_stamp, read_rows, reused_key
from todo_cli.core.tasks.change import answer_task, change_tasks, only_task, repeat_task, writes
from todo_cli.core.tasks.dependencies import raise_for_cycles, raise_for_references
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.rows import TaskRow, to_task
from todo_cli.core.tasks.store import ADD, Edits, encode_rows
from todo_cli.core.tasks.task_input import read_new_task
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


class AddWanted(Wanted):
    """The rows to add, which have no numbers yet, and what they refer to."""

    rows: list[TaskRow]
    group: str | None = None


class _Added(msgspec.Struct):
    is_new: bool
    same: bool
    seq: int
    after: list[dict[str, Any]]


async def want_task(tx: Transaction, request: AddTask) -> AddWanted:
    """Read the parent and the blockers of the new task."""
    return _want_references([await read_new_task(tx, request, parse=request.parse is True)])


async def want_tasks(tx: Transaction, request: AddTasks) -> AddWanted:
    """Read the parents and the blockers of the new tasks."""
    rows = [await _read_line(tx, task, place, parse=request.parse is True) for place, task in enumerate(request.tasks)]
    return _want_references(rows, request.group)


async def _read_line(tx: Transaction, task: NewTask, place: int, *, parse: bool) -> TaskRow:
    """Read one of several tasks. An error names its place, counted from 1."""
    try:
        return await read_new_task(tx, task, parse=parse)
    except Invalid as error:
        raise Invalid(f"task {place + 1}: {error.detail}", hint=error.hint, **error.extra, task=place + 1) from None


def _want_references(rows: list[TaskRow], group: str | None = None) -> AddWanted:
    parents = tuple({row.parent for row in rows if row.parent})
    blockers = tuple({number for row in rows for number in row.after})
    return AddWanted(
        rows=rows, group=group, parents=parents, blockers=blockers, changes_links=bool(parents or blockers)
    )


@writes(AddTask, wanted=want_task, answer=answer_task, repeat=repeat_task, has_own_handler=True)
@writes(AddTasks, wanted=want_tasks, has_own_handler=True)
def number_rows(loaded: Loaded, wanted: AddWanted, request: AddTask | AddTasks) -> Edits:
    """Number the new tasks; raises where a parent or a blocker cannot be."""
    raise_for_references(loaded, wanted, "added")
    rows = [
        msgspec.structs.replace(
            row, number=loaded.next_number + place, created_at=loaded.now, updated_at=loaded.now, rev=loaded.seq + 1
        )
        for place, row in enumerate(wanted.rows)
    ]
    raise_for_cycles(loaded, rows, "added")
    return Edits(rows=rows, group=wanted.group)


@handler(AddTask)
async def add_task(tx: Transaction, request: AddTask) -> Task:
    """Add one task. A repeated key answers with the task that it added, `new` is false then."""
    wanted = await want_task(tx, request)
    if wanted.changes_links:
        task: Task = await change_tasks(tx, request, wanted)
        return task
    return only_task(await _add_rows(tx, request, wanted))


@handler(AddTasks)
async def add_tasks(tx: Transaction, request: AddTasks) -> Changed:
    """Add several tasks in their order."""
    wanted = await want_tasks(tx, request)
    if wanted.changes_links:
        changed: Changed = await change_tasks(tx, request, wanted)
        return changed
    return await _add_rows(tx, request, wanted)


async def _add_rows(tx: Transaction, request: AddTask | AddTasks, wanted: AddWanted) -> Changed:
    """Add tasks in one round trip."""
    stamp = make_stamp(tx, request)
    text = await tx.finish(
        ADD,
        key=stamp.key,
        hash=stamp.hash,
        verb=stamp.verb,
        request=stamp.request,
        turn=stamp.turn,
        undoes=None,
        redo=False,
        group=wanted.group or stamp.turn,
        rows=encode_rows(wanted.rows),
        count=len(wanted.rows),
    )
    added = decode(text or "", _Added)
    if not added.same:
        raise reused_key(stamp.key)
    return Changed(tasks=tuple(map(to_task, read_rows(added.after))), seq=added.seq, new=added.is_new)
