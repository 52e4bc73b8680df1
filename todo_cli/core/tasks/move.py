"""Order tasks by hand: move them between two others, or sort them among their own places."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal

from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract.limits import MAX_TASKS_PER_CHANGE
from todo_cli.contract.order import MoveTasks, SortTasks
from todo_cli.contract.tasks import Changed
from todo_cli.core.filters.sorting import Order
from todo_cli.core.journal import Stamp
from todo_cli.core.tasks.change import answer_changed, writes
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.move_sql import LOAD_MOVE
from todo_cli.core.tasks.positions import position_of, sort_positions, spread_between, spread_unit, stored_position
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.select import missing_tasks, read_targets, select_rows, trashed_tasks
from todo_cli.core.tasks.store import DecidedChange, Edits
from todo_cli.db.sql import StatementCall
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid


class WantedMove(Wanted, kw_only=True):
    """The tasks to move, and the task beside which they are to stand; None for an end of the order.

    With `is_below` they stand before it, or last.
    """

    anchor: int | None
    is_below: bool


class LoadedMove(Loaded):
    """The gap into which the tasks move: its two neighbours are open tasks, null beyond an end.

    `rows` has the tasks around a narrow gap too.
    """

    anchor_status: str | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None


class MoveEdits(Edits, kw_only=True):
    """The moved tasks, then those that made room."""

    moved: int


async def want_move(tx: Transaction, request: MoveTasks) -> WantedMove:
    """Read the tasks and the gap; raises Invalid unless exactly one place is named."""
    anchors = [number for number in (request.before, request.behind) if number is not UNSET]
    if len(anchors) + request.first + request.last != 1:
        raise Invalid("name one place to move to", hint="for example: todo move 12 --before 7, todo move 12 --first")
    numbers = tuple(dict.fromkeys(request.numbers))
    if anchors and anchors[0] in numbers:
        raise Invalid(f"task #{anchors[0]} cannot be moved next to itself; nothing was changed")
    is_below = request.before is not UNSET or request.last
    return WantedMove(numbers=numbers, anchor=anchors[0] if anchors else None, is_below=is_below)


def load_move_call(wanted: WantedMove, stamp: Stamp) -> StatementCall:
    """Return the statement that reads the tasks and the gap, with its values."""
    values = {"numbers": list(wanted.numbers), "anchor": wanted.anchor, "is_below": wanted.is_below}
    return LOAD_MOVE, values | {"key": stamp.key, "hash": stamp.hash}


def answer_moved(change: DecidedChange) -> Changed:
    """Answer with the moved tasks, without those that made room."""
    assert isinstance(change.edits, MoveEdits)  # noqa: S101  # this module's rule made it
    answer = answer_changed(change)
    return replace(answer, tasks=answer.tasks[: change.edits.moved])


@writes(MoveTasks, wanted=want_move, load=load_move_call, kind=LoadedMove, answer=answer_moved)
def move_tasks(loaded: LoadedMove, wanted: WantedMove, request: MoveTasks) -> MoveEdits:
    """Give the tasks positions in the gap; where it is too narrow, spread the tasks around it anew."""
    if wanted.anchor is not None and loaded.anchor_status is None:
        raise missing_tasks([wanted.anchor])
    if wanted.anchor is not None and loaded.anchor_status == "deleted":
        raise trashed_tasks([wanted.anchor])
    named = set(wanted.numbers)
    crowd = [row for row in loaded.rows if row.number not in named]
    rows = select_rows(replace(loaded, rows=[row for row in loaded.rows if row.number in named]), wanted)
    upper = loaded.upper
    if upper is None and loaded.lower is not None and loaded.lower < loaded.next_number:
        upper = Decimal(loaded.next_number)  # before the tasks that are added next
    positions = spread_between(loaded.lower, upper, len(rows))
    if positions is None:
        return _make_room(rows, crowd, wanted, loaded.lower or Decimal(0))
    return MoveEdits(rows=_place(rows, positions), moved=len(rows))


def _place(rows: Sequence[TaskRow], positions: Sequence[Decimal]) -> list[TaskRow]:
    return [
        replace(row, position=stored_position(row.number, position))
        for row, position in zip(rows, positions, strict=True)
    ]


def _make_room(rows: list[TaskRow], crowd: list[TaskRow], wanted: WantedMove, lower: Decimal) -> MoveEdits:
    """Spread the moved tasks and those around them from one whole number to the next."""
    if len(rows) + len(crowd) > MAX_TASKS_PER_CHANGE:
        raise Conflict("too many tasks stand at this place; nothing was changed", hint="spread them with: todo sort")
    crowd = sorted(crowd, key=lambda row: (position_of(row), row.number))
    places = {row.number: place for place, row in enumerate(crowd)}
    end = len(crowd) if wanted.anchor is None else places.get(wanted.anchor, len(crowd) - (not wanted.is_below))
    end += wanted.anchor is not None and not wanted.is_below
    ordered = [*crowd[:end], *rows, *crowd[end:]]
    unit = int(lower.to_integral_value(ROUND_FLOOR))
    placed = _place(ordered, spread_unit(unit, len(ordered)))
    others = [*placed[:end], *placed[end + len(rows) :]]
    return MoveEdits(rows=[*placed[end : end + len(rows)], *others], moved=len(rows))


async def want_sorted(tx: Transaction, request: SortTasks) -> Wanted:
    """Read the tasks and their numbers in the order."""
    order = Order(request.by)
    if any(key.name == "rank" for key in order.keys):
        raise Invalid("tasks cannot be sorted by rank", hint="for example: todo sort --by due")
    wanted = await read_targets(tx, request)
    wanted.order = order.order_by()
    return wanted


@writes(SortTasks, wanted=want_sorted)
def sort_tasks(loaded: Loaded, wanted: Wanted, request: SortTasks) -> Edits:
    """Give the tasks each other's positions, in the order."""
    rows = {row.number: row for row in select_rows(loaded, wanted)}
    ordered = [rows[number] for number in loaded.order]
    return Edits(rows=_place(ordered, sort_positions(ordered)))
