"""Add one task or many, all or none.

Tasks without a parent and blockers need nothing of what is stored: one statement adds them. The others, and lines of
todo.txt with dates of their own, are a write like all others.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from todo_cli.contract.codec import decode
from todo_cli.contract.tasks import AddTask, AddTasks, Changed, NewTask, Task
from todo_cli.core.dispatch import handler
from todo_cli.core.filters.token_filter import fill_fields
from todo_cli.core.journal import make_stamp, read_rows, reused_key
from todo_cli.core.tasks.assignees import find_assignee
from todo_cli.core.tasks.change import answer_task, change_tasks, only_task, repeat_task, writes
from todo_cli.core.tasks.dependencies import raise_for_cycles, raise_for_references
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.reminders import make_usual_reminder, raise_for_passed
from todo_cli.core.tasks.rows import TaskRow, to_tasks
from todo_cli.core.tasks.store import Edits, encode_rows
from todo_cli.core.tasks.store_sql import ADD
from todo_cli.core.tasks.task_input import NewRow, read_new_task
from todo_cli.core.tasks.text_limit import raise_for_changed_texts
from todo_cli.core.validation import check_line
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


class AddWanted(Wanted):
    """The rows to add, which have no numbers yet, and what they refer to.

    `default_project` are the ids of the rows that belong to the user's default project, `default_reminder` of those that
    get the user's usual reminder. `created` has the creation dates of lines of todo.txt by the ids of their rows; the
    others are created now.
    """

    rows: list[TaskRow]
    default_project: frozenset[str] = frozenset()
    default_reminder: frozenset[str] = frozenset()
    group: str | None = None
    created: dict[str, datetime] = msgspec.field(default_factory=dict)

    @property
    def needs_nothing_stored(self) -> bool:
        """Whether one statement can add the rows as they are."""
        return not (
            self.changes_links
            or self.with_similar
            or self.with_members
            or self.created
            or any(row.status == "done" for row in self.rows)
            or any(reminder.at for row in self.rows for reminder in row.remind or ())
        )


class _Added(msgspec.Struct):
    is_new: bool
    same: bool
    seq: int
    after: list[dict[str, Any]] | None = None  # None: the key is that of a change of something else


async def want_task(tx: Transaction, request: AddTask) -> AddWanted:
    """Read the parent and the blockers of the new task."""
    wanted = _want_rows(tx, [await read_new_task(tx, request, parse=request.parse is True)])
    wanted.with_similar = request.report_similar is True
    return wanted


async def want_tasks(tx: Transaction, request: AddTasks) -> AddWanted:
    """Read the parents and the blockers of the new tasks."""
    lines = [await _read_line(tx, task, place, parse=request.parse is True) for place, task in enumerate(request.tasks)]
    return _want_rows(tx, lines, request.group)


async def _read_line(tx: Transaction, task: NewTask, place: int, *, parse: bool) -> NewRow:
    """Read one of several tasks. An error names its place, counted from 1."""
    from todo_cli.core.tasks.todo_txt_input import read_todo_txt
    from todo_cli.parsing.todo_txt import parse_todo_txt

    try:
        if parse and (line := parse_todo_txt(check_line("title", task.title))):
            return await read_todo_txt(tx, task, line)
        return await read_new_task(tx, task, parse=parse)
    except Invalid as error:
        raise Invalid(f"task {place + 1}: {error.detail}", hint=error.hint, **error.extra, task=place + 1) from None


def _want_rows(tx: Transaction, lines: list[NewRow], group: str | None = None) -> AddWanted:
    rows = [line.row for line in lines]
    parents = tuple({row.parent for row in rows if row.parent})
    blockers = tuple({number for row in rows for number in row.after})
    sources = tuple({row.discovered_from for row in rows if row.discovered_from})
    return AddWanted(
        rows=rows,
        default_project=frozenset(line.row.id for line in lines if line.takes_default_project),
        default_reminder=frozenset(
            line.row.id for line in lines if line.takes_default_reminder and line.row.status == "open"
        ),
        user=tx.caller.user_id,
        group=group,
        created={line.row.id: line.created for line in lines if line.created},
        parents=parents,
        blockers=blockers,
        sources=sources,
        changes_links=bool(parents or blockers or sources),
        with_members=any(row.assigned_to for row in rows),
    )


@writes(AddTask, wanted=want_task, answer=answer_task, repeat=repeat_task, has_own_handler=True)
@writes(AddTasks, wanted=want_tasks, has_own_handler=True)
def number_rows(loaded: Loaded, wanted: AddWanted, request: AddTask | AddTasks) -> Edits:
    """Number the new tasks; raises where a parent or a blocker cannot be.

    A token with a filter fills in the fields without which the tasks would not match it.
    """
    raise_for_references(loaded, wanted, "added")
    for row in wanted.rows:
        raise_for_passed(row.remind or (), loaded.now)
    usual = make_usual_reminder(loaded.usual_reminder, wanted.user, loaded.zone)
    rows = [
        msgspec.structs.replace(
            row,
            number=loaded.next_number + place,
            project=row.project or (loaded.default_project if row.id in wanted.default_project else None),
            remind=usual if row.id in wanted.default_reminder else row.remind,
            assigned_to=find_assignee(row.assigned_to, loaded, "added"),
            created_at=wanted.created.get(row.id, loaded.now),
            completed_at=(row.completed_at or loaded.now) if row.status == "done" else None,
            updated_at=loaded.now,
            rev=loaded.seq + 1,
        )
        for place, row in enumerate(fill_fields(loaded.reach, row) for row in wanted.rows)
    ]
    raise_for_cycles(loaded, rows, "added")
    return Edits(rows=rows, group=wanted.group)


@handler(AddTask)
async def add_task(tx: Transaction, request: AddTask) -> Task:
    """Add one task. A repeated key answers with the task that it added, `new` is false then."""
    wanted = await want_task(tx, request)
    if tx.limits or not wanted.needs_nothing_stored:
        task: Task = await change_tasks(tx, request, wanted)
        return task
    return only_task(await _add_rows(tx, request, wanted))


@handler(AddTasks)
async def add_tasks(tx: Transaction, request: AddTasks) -> Changed:
    """Add several tasks in their order."""
    wanted = await want_tasks(tx, request)
    if tx.limits or not wanted.needs_nothing_stored:
        changed: Changed = await change_tasks(tx, request, wanted)
        return changed
    return await _add_rows(tx, request, wanted)


async def _add_rows(tx: Transaction, request: AddTask | AddTasks, wanted: AddWanted) -> Changed:
    """Add tasks in one round trip."""
    raise_for_changed_texts({}, wanted.rows)
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
        default_project=[place for place, row in enumerate(wanted.rows, 1) if row.id in wanted.default_project],
        default_reminder=[place for place, row in enumerate(wanted.rows, 1) if row.id in wanted.default_reminder],
        zone=tx.caller.zone,
    )
    added = decode(text or "", _Added)
    if not added.same:
        raise reused_key(stamp.key)
    return Changed(tasks=to_tasks(read_rows(added.after or [])), seq=added.seq, new=added.is_new)
