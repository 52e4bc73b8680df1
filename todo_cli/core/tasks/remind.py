"""Add reminders to tasks, or remove them."""

from __future__ import annotations

from msgspec.structs import replace

from todo_cli.contract.reminders import RemindTasks
from todo_cli.core.tasks.change import writes
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.reminders import raise_for_no_due, read_coming_reminders, replace_reminders
from todo_cli.core.tasks.select import raise_for_done, read_targets, select_rows
from todo_cli.core.tasks.store import Edits
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid


async def want_reminded(tx: Transaction, request: RemindTasks) -> Wanted:
    """Read the tasks, and remember whose reminders change."""
    wanted = await read_targets(tx, request)
    wanted.user = tx.caller.user_id
    return wanted


@writes(RemindTasks, wanted=want_reminded)
def remind_tasks(loaded: Loaded, wanted: Wanted, request: RemindTasks) -> Edits:
    """Change the caller's reminders of every task; raises Conflict for done tasks, which do not remind."""
    if not request.remind and request.replace is not True:
        raise Invalid("no reminder was given", hint="for example: todo remind 12 '1h before'")
    rows = select_rows(loaded, wanted)
    added = read_coming_reminders(request.remind, wanted.user, loaded.clock)
    if added:
        raise_for_done(rows)
    changed = []
    for row in rows:
        own = () if request.replace is True else tuple(each for each in row.remind or () if each.user == wanted.user)
        changed.append(replace(row, remind=replace_reminders(row.remind, (*own, *added), wanted.user)))
    raise_for_no_due(changed, wanted.user)
    return Edits(rows=changed)
