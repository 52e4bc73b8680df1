"""A write of tasks: load, decide, store.

`WRITES` maps a Request to what it must read (`wanted`) and to its rule (`decide`), a pure function. A plan, an approval
and a proposal use the same two functions and do not store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from msgspec import convert
from msgspec.structs import replace

from todo_cli.contract.base import Request
from todo_cli.contract.tasks import Changed, Task
from todo_cli.core.dispatch import HANDLERS
from todo_cli.core.journal import Stamp, make_stamp, reused_key
from todo_cli.core.tasks.load import KnownChange, Loaded, Wanted, load_call, load_tasks
from todo_cli.core.tasks.rows import TaskRow, to_task
from todo_cli.core.tasks.select import read_targets
from todo_cli.core.tasks.store import MAX_INLINE_ROWS, DecidedChange, Edits, decide_change, store_calls
from todo_cli.db.transaction import Transaction

WantedFunction = Callable[[Transaction, Any], Awaitable[Wanted]]
DecideFunction = Callable[[Loaded, Any, Any], Edits]
AnswerFunction = Callable[[Changed], Any]
D = TypeVar("D", bound=DecideFunction)


class Write(NamedTuple):
    """How a Request changes tasks.

    `decide` is given what was loaded, what was wanted and the Request. It returns the new rows or raises TodoError.
    """

    wanted: WantedFunction
    decide: DecideFunction
    answer: AnswerFunction


WRITES: dict[type[Request[Any]], Write] = {}


def answer_changed(changed: Changed) -> Changed:
    """Answer with all changed tasks."""
    return changed


def answer_task(changed: Changed) -> Task:
    """Answer with the only changed task."""
    return replace(changed.tasks[0], new=changed.new)


def writes(
    request: type[Request[Any]],
    *,
    wanted: WantedFunction = read_targets,
    answer: AnswerFunction = answer_changed,
    has_own_handler: bool = False,
) -> Callable[[D], D]:
    """Register the decorated rule as the one that decides `request`, and `change_tasks` as the handler."""

    def register(decide: D) -> D:
        WRITES[request] = Write(wanted, decide, answer)
        if not has_own_handler:
            HANDLERS[request] = change_tasks
        return decide

    return register


async def change_tasks(tx: Transaction, request: Request[Any]) -> Any:
    """Answer a Request of `WRITES`."""
    return await change_wanted(tx, request, await WRITES[type(request)].wanted(tx, request))


async def change_wanted(tx: Transaction, request: Request[Any], wanted: Wanted) -> Any:
    """Load, decide and store in two round trips.

    A known idempotency key answers what the change answered; raises Conflict where the key was of another request.
    """
    write, stamp = WRITES[type(request)], make_stamp(tx, request)
    async with tx.steps() as steps:
        [loaded] = await load_tasks(steps, [load_call(wanted, stamp)])
        if loaded.known:
            return write.answer(answer_known(loaded.known, stamp))
        change = await decide(write, stamp, loaded, wanted, request)
        await steps.finish_calls(await store_calls([change]))
    return write.answer(to_changed(change))


async def decide(write: Write, stamp: Stamp, loaded: Loaded, wanted: Wanted, request: Request[Any]) -> DecidedChange:
    """Apply the rule; where many rows were loaded in a thread, so that other requests go on."""

    def apply_rule() -> DecidedChange:
        return decide_change(stamp, loaded, write.decide(loaded, wanted, request))

    return apply_rule() if len(loaded.rows) <= MAX_INLINE_ROWS else await asyncio.to_thread(apply_rule)


def to_changed(change: DecidedChange) -> Changed:
    """Return the answer to a change."""
    return Changed(
        tasks=tuple(map(to_task, change.rows)),
        seq=change.seq,
        new=True,
        open_subtasks=change.edits.open_subtasks,
        ended=change.edits.ended,
    )


def answer_known(known: KnownChange, stamp: Stamp) -> Changed:
    """Return the answer to a change that was stored before; raises Conflict where its key was of another request."""
    if not known.same:
        raise reused_key(stamp.key)
    rows = convert(known.after, list[TaskRow])
    return Changed(tasks=tuple(map(to_task, rows)), seq=known.seq, new=False)
