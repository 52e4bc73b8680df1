"""Edit tasks: fields that the edit leaves out stay as they are, null clears them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from msgspec import UNSET, to_builtins
from msgspec.structs import replace

from todo_cli.contract.tasks import EditTasks
from todo_cli.core.tasks.assignees import find_assignee
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.dependencies import raise_for_cycles, raise_for_references
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.new_series import start_series
from todo_cli.core.tasks.reminders import raise_for_no_due, replace_reminders
from todo_cli.core.tasks.rows import StoredRepeat, TaskRow, date_of, format_date
from todo_cli.core.tasks.select import raise_for_limits, read_targets, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.core.tasks.task_input import TaskPatch, read_patch
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


async def want_edit(tx: Transaction, request: EditTasks) -> Wanted:
    """Read ancestors and dependencies only where the edit changes parents or blockers."""
    wanted = await read_targets(tx, request)
    wanted.parents = (request.parent,) if request.parent else ()
    wanted.blockers = (*(request.after or ()), *(request.add_after or ()))
    wanted.sources = (request.discovered_from,) if request.discovered_from else ()
    wanted.user = tx.caller.user_id
    wanted.with_members = bool(request.assigned_to)
    wanted.changes_links = bool(wanted.parents or wanted.blockers or wanted.sources)
    return wanted


@writes(EditTasks, wanted=want_edit)
def edit_tasks(loaded: Loaded, wanted: Wanted, request: EditTasks) -> Edits:
    """Apply the edit to every task; raises where a parent or a blocker cannot be."""
    return edit_rows(loaded, wanted, read_patch(request, loaded.clock, wanted.user))


def edit_rows(loaded: Loaded, wanted: Wanted, patch: TaskPatch) -> Edits:
    """Apply the checked edit to every task; raises where a parent or a blocker cannot be."""
    patch = name_assignee(patch, loaded)
    rows = [apply_patch(row, patch) for row in select_rows(loaded, wanted)]
    raise_for_edited_rows(loaded, wanted, rows, rows if patch.remind else ())
    return Edits(rows=rows)


def raise_for_edited_rows(
    loaded: Loaded, wanted: Wanted, rows: Sequence[TaskRow], reminding: Sequence[TaskRow]
) -> None:
    """Raise where a limit, a parent or a blocker refuses the edited rows; `reminding` are those with new reminders."""
    raise_for_limits(rows)
    raise_for_no_due(reminding, wanted.user)
    if wanted.changes_links:
        raise_for_references(loaded, wanted)
        raise_for_cycles(loaded, rows)
        _raise_for_own_source(rows)


def name_assignee(patch: TaskPatch, loaded: Loaded, effect: str = "changed") -> TaskPatch:
    """Return the edit with the name of the member whom it names; raises NotFound for others than members."""
    if "assigned_to" not in patch.columns:
        return patch
    name = find_assignee(patch.columns["assigned_to"], loaded, effect)
    return replace(patch, columns=patch.columns | {"assigned_to": name})


def _raise_for_own_source(rows: Sequence[TaskRow]) -> None:
    if own := [row.number for row in rows if row.discovered_from == row.number]:
        raise Invalid(f"task #{own[0]} cannot be discovered from itself; nothing was changed")


def apply_patch(row: TaskRow, patch: TaskPatch) -> TaskRow:
    """Return the row with the edit applied."""
    tags = {*(row.tags if patch.tags is UNSET else patch.tags), *patch.add_tags}
    after = {*(row.after if patch.after is UNSET else patch.after), *patch.add_after}
    edited = replace(
        row,
        remind=replace_reminders(row.remind, patch.remind, patch.user),
        **patch.columns,
        tags=tuple(sorted(tags.difference(patch.remove_tags))),
        after=tuple(sorted(after.difference(patch.remove_after))),
    )
    if patch.repeat is None:
        return replace(edited, repeat=None)
    if patch.repeat is not UNSET:
        return start_series(edited, patch.repeat)
    return replace(edited, repeat=_edit_repeat(row, row.repeat, edited, patch)) if row.repeat else edited


def _edit_repeat(row: TaskRow, repeat: StoredRepeat, edited: TaskRow, patch: TaskPatch) -> StoredRepeat:
    """Keep, for the following occurrences, the values that the edit changes in this one alone."""
    old = {name: _to_json(getattr(row, name)) for name in patch.only_here}
    template = {name: value for name, value in (old | (repeat.template or {})).items() if name not in patch.in_series}
    due = date_of(edited, "due") if patch.moves_series else None
    first = format_date(due) if due else None
    return replace(repeat, template=template or None, anchor=first or repeat.anchor, slot=first or repeat.slot)


def _to_json(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return to_builtins(value) if isinstance(value, tuple) else value
