"""Which tasks a write is about, and the refusals that all writes share: missing, in the trash, moved on, too many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from msgspec import UNSET

from todo_cli.contract.limits import MAX_BLOCKERS_PER_TASK, MAX_CHANGE_BYTES, MAX_TAGS_PER_TASK, MAX_TASKS_PER_CHANGE
from todo_cli.contract.tasks import OnTasks, ReopenTasks
from todo_cli.contract.trash import RestoreTasks
from todo_cli.core.journal import SHOWN_FIELDS, show_field, show_row
from todo_cli.core.journal_texts import restore_texts
from todo_cli.core.local_time import format_local_field, format_local_time
from todo_cli.core.tasks.load import Loaded, TaskFilter, Wanted
from todo_cli.core.tasks.load_sql import TargetSql
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import too_large
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotFound

# the status that a filter means which names none; for all other Requests: open
MEANT_STATUS: dict[type[OnTasks], str] = {ReopenTasks: "done", RestoreTasks: "deleted"}


async def read_targets(tx: Transaction, request: OnTasks) -> Wanted:
    """Return the request's numbers or its compiled filter; raises Invalid for neither, for both and for a blank filter."""
    if request.filter is UNSET:
        if not request.numbers:
            raise Invalid("numbers is empty", hint="name tasks by numbers, or by a filter")
        return Wanted(numbers=tuple(dict.fromkeys(request.numbers)), if_rev=request.if_rev)
    from todo_cli.core.filters.filter_query import compile_filter, parse_with_views
    from todo_cli.parsing.filter_ast import And

    if request.numbers:
        raise Invalid("numbers and a filter cannot be combined", hint="a filter may name numbers: '3 7-9 @phone'")
    node = (await parse_with_views(tx, request.filter)).node
    if node == And():
        raise Invalid("the filter is empty: it would mean every task", hint="to mean that, write status:open")
    status = MEANT_STATUS.get(type(request), "open")
    compiled = await compile_filter(tx, node, status=status, deferred=True)
    sql = TargetSql(compiled.where, compiled.finds)
    return Wanted(filter=TaskFilter(sql, compiled.values, request.filter), if_rev=request.if_rev)


def select_rows(loaded: Loaded, wanted: Wanted, *, allow_trashed: bool = False) -> list[TaskRow]:
    """Return the rows to change: in the order in which they were named, then by number.

    Raises NotFound, Conflict and Invalid where one of them cannot be changed.
    """
    _raise_for_size(loaded, wanted)
    rows_by_number = {row.number: row for row in loaded.rows}
    missing = [number for number in wanted.numbers if number not in rows_by_number]
    if missing:
        raise missing_tasks(missing, newest=find_newest(loaded))
    rows = [rows_by_number[number] for number in dict.fromkeys((*wanted.numbers, *sorted(rows_by_number)))]
    trashed = [row.number for row in rows if row.status == "deleted"]
    if trashed and not allow_trashed:
        raise trashed_tasks(trashed)
    for row in rows:
        if row.rev != wanted.if_revs.get(row.number, row.rev if wanted.if_rev is None else wanted.if_rev):
            _raise_moved_on(row, loaded)
    return rows


def _raise_for_size(loaded: Loaded, wanted: Wanted) -> None:
    if wanted.filter and not loaded.found:
        raise NotFound(
            f"no task matches {wanted.filter.text[:100]!r}; nothing was changed", hint="test it with: todo list FILTER"
        )
    if (loaded.found or 0) > MAX_TASKS_PER_CHANGE:
        count = max(loaded.matching, MAX_TASKS_PER_CHANGE + 1)
        raise Invalid(
            f"the filter matches {count:,} tasks; at most {MAX_TASKS_PER_CHANGE:,} can be changed at once",
            hint="use a narrower filter",
        )
    if loaded.is_vague:
        raise Invalid(
            f"the words of the filter occur in {MAX_TASKS_PER_CHANGE:,} tasks or more", hint="use rarer words"
        )
    if loaded.bytes > MAX_CHANGE_BYTES:
        raise too_large()


def find_newest(loaded: Loaded) -> int | None:
    """Return the newest number of the space; None for a token with limits."""
    return loaded.next_number - 1 if loaded.reach is None else None


def missing_tasks(numbers: Sequence[int], effect: str | None = "changed", *, newest: int | None = None) -> NotFound:
    """Return the error for tasks that do not exist; it names the newest number where one of them is higher."""
    verb = "does" if len(numbers) == 1 else "do"
    return NotFound(
        f"{name_tasks(numbers)} {verb} not exist{f'; nothing was {effect}' if effect else ''}",
        hint=_explain_numbers(numbers, newest),
        numbers=list(numbers),
    )


def _explain_numbers(numbers: Sequence[int], newest: int | None) -> str:
    if newest is None or max(numbers) <= newest:
        return "list tasks with: todo list"
    return f"the newest is #{newest}; finished ones: todo list is:done" if newest else "there are no tasks yet"


def trashed_tasks(numbers: Sequence[int], effect: str = "changed") -> Conflict:
    """Return the error for tasks in the trash."""
    verb = "is" if len(numbers) == 1 else "are"
    return Conflict(
        f"{name_tasks(numbers)} {verb} in the trash; nothing was {effect}",
        hint=f"restore it first: todo restore {numbers[0]}",
    )


def raise_for_done(rows: Sequence[TaskRow]) -> None:
    """Raise Conflict for a done task."""
    if numbers := [row.number for row in rows if row.status == "done"]:
        verb = "is" if len(numbers) == 1 else "are"
        raise Conflict(
            f"{name_tasks(numbers)} {verb} done; nothing was changed", hint=f"reopen it first: todo reopen {numbers[0]}"
        )


def raise_for_limits(rows: Sequence[TaskRow]) -> None:
    """Raise Conflict for a task with too many tags or blockers."""
    if numbers := [row.number for row in rows if len(row.tags) > MAX_TAGS_PER_TASK]:
        raise Conflict(f"{name_tasks(numbers)} would have more than {MAX_TAGS_PER_TASK} tags; nothing was changed")
    if numbers := [row.number for row in rows if len(row.after) > MAX_BLOCKERS_PER_TASK]:
        raise Conflict(
            f"{name_tasks(numbers)} would wait for more than {MAX_BLOCKERS_PER_TASK} tasks; nothing was changed"
        )


def _raise_moved_on(row: TaskRow, loaded: Loaded) -> NoReturn:
    later = next((change for change in loaded.later_changes if change.number == row.number), None)
    user = (later and later.user) or "somebody"
    now = show_row(row)
    changed: dict[str, list[Any]] = {}
    summary = ""
    if later and later.expected:
        [expected] = restore_texts([later.expected], later.texts or {}, [row])
        then = show_row(expected)
        pairs = {name: [show_field(then, name), show_field(now, name)] for name in SHOWN_FIELDS}
        changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        summary = f" ({_describe_fields(changed, loaded.zone)})" if changed else ""
    at = row.updated_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    local = format_local_time(row.updated_at, loaded.zone)
    raise Conflict(
        f"task #{row.number} has moved on to rev {row.rev}, changed by {user} at {local}{summary}; nothing was changed",
        hint=f"look at it with: todo show {row.number}",
        number=row.number,
        rev=row.rev,
        by=user,
        at=at,
        changed=changed,
    )


def _describe_fields(changed: dict[str, list[Any]], zone: str) -> str:
    """Return `title: old → new, due: none → 2026-11-28 09:00`."""
    pairs = (
        (name, [_shorten(format_local_field(name, value, zone)) for value in pair]) for name, pair in changed.items()
    )
    return ", ".join(f"{name}: {old} → {new}" for name, (old, new) in pairs)


def _shorten(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if value in (None, []):
        return "none"
    return text if len(text) <= 60 else f"{text[:57]}…"


def name_tasks(numbers: Sequence[int]) -> str:
    """Return `task #3` or `tasks #3, #4`, at most ten of them."""
    shown = ", ".join(f"#{number}" for number in numbers[:10])
    rest = f" and {len(numbers) - 10} more" if len(numbers) > 10 else ""
    return f"task{'s' if len(numbers) > 1 else ''} {shown}{rest}"
