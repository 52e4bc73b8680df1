"""A write of tasks: load, decide, store.

`WRITES` maps a Request to what it must read (`wanted`) and to its rule (`decide`), a pure function. A plan, an approval
and a proposal use the same two functions and do not store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.contract.base import Request
from todo_cli.contract.tasks import Changed, Task
from todo_cli.core.dispatch import HANDLERS, handler, import_handlers
from todo_cli.core.journal import Stamp, make_stamp, read_rows, reused_key
from todo_cli.core.journal_texts import drop_references, has_reference, restore_texts
from todo_cli.core.tasks.load import KnownChange, Loaded, Wanted, load_call, read_loaded
from todo_cli.core.tasks.rows import to_tasks
from todo_cli.core.tasks.select import read_targets
from todo_cli.core.tasks.store import MAX_INLINE_ROWS, DecidedChange, Edits, decide_change, store_calls
from todo_cli.db.sql import StatementCall
from todo_cli.db.transaction import Steps, Transaction

WantedFunction = Callable[[Transaction, Any], Awaitable[Any]]
LoadFunction = Callable[[Any, Stamp], StatementCall]
DecideFunction = Callable[[Any, Any, Any], Edits]
AnswerFunction = Callable[[DecidedChange], Any]
KnownFunction = Callable[[KnownChange], Any]
D = TypeVar("D", bound=DecideFunction)


def answer_changed(change: DecidedChange) -> Changed:
    """Answer with all changed tasks."""
    return Changed(
        tasks=to_tasks(change.rows),
        seq=change.seq,
        new=True,
        open_subtasks=change.edits.open_subtasks,
        ended=change.edits.ended,
        open_next=change.edits.open_next,
        copied_from=change.edits.copied_from,
    )


def repeat_changed(known: KnownChange) -> Changed:
    """Answer again with all changed tasks, as the journal keeps them: without a long note that it does not keep."""
    lost = {row["number"] for row in known.after if has_reference(row)}
    tasks = to_tasks(read_rows([drop_references(row) for row in known.after]))
    tasks = tuple(replace(task, note=UNSET) if task.number in lost else task for task in tasks)
    return Changed(tasks=tasks, seq=known.seq, new=False)


class Write(NamedTuple):
    """How a Request changes tasks.

    `wanted` says what the rule must see; `load` is the statement that reads it, as a `kind`. `decide` is given what was
    loaded, what was wanted and the Request; it returns the new rows or raises TodoError. `answer` is the answer to the
    change, `repeat` the answer to a change that was stored before.
    """

    wanted: WantedFunction
    decide: DecideFunction
    answer: AnswerFunction = answer_changed
    repeat: KnownFunction = repeat_changed
    load: LoadFunction = load_call
    kind: type[Loaded] = Loaded


WRITES: dict[type[Request[Any]], Write] = {}


def writes(
    request: type[Request[Any]],
    *,
    wanted: WantedFunction = read_targets,
    answer: AnswerFunction = answer_changed,
    repeat: KnownFunction = repeat_changed,
    load: LoadFunction = load_call,
    kind: type[Loaded] = Loaded,
    has_own_handler: bool = False,
) -> Callable[[D], D]:
    """Register the decorated rule as the one that decides `request`, and `change_tasks` as the handler."""

    def register(decide: D) -> D:
        WRITES[request] = Write(wanted, decide, answer, repeat, load, kind)
        if not has_own_handler:
            handler(request)(change_tasks)
        return decide

    return register


def find_write(request: type[Request[Any]]) -> Write | None:
    """Return how a Request changes tasks, None where it does not; imports the module of its rule."""
    if request not in HANDLERS:
        import_handlers(request)
    return WRITES.get(request)


def only_task(changed: Changed) -> Task:
    """Return the only changed task, as the answer to a Request about one task."""
    return replace(changed.tasks[0], new=changed.new)


def answer_task(change: DecidedChange) -> Task:
    """Answer with the only changed task, and with the task like it where the write looked for one."""
    return replace(only_task(answer_changed(change)), similar=change.loaded.similar or UNSET)


def repeat_task(known: KnownChange) -> Task:
    """Answer again with the only changed task."""
    return only_task(repeat_changed(known))


class PreparedChange(NamedTuple):
    """A Request that was decided and is not stored yet: its answer, and the statements that store it.

    `change` is None where the key is known: then nothing is left to store.
    """

    answer: Any
    calls: list[StatementCall]
    change: DecidedChange | None = None


async def change_tasks(tx: Transaction, request: Request[Any], wanted: Wanted | None = None) -> Any:
    """Load, decide and store in two round trips.

    A known idempotency key answers what the change answered; raises Conflict where the key was of another request.
    With `dry_run` nothing is stored.
    """
    async with tx.steps() as steps:
        prepared = await prepare_change(tx, steps, request, make_stamp(tx, request), wanted=wanted)
        if prepared.calls and not getattr(request, "dry_run", False):
            await steps.commit_calls(prepared.calls)
    return prepared.answer


async def prepare_change(
    tx: Transaction,
    steps: Steps,
    request: Request[Any],
    stamp: Stamp,
    *,
    first: Sequence[StatementCall] = (),
    wanted: Wanted | None = None,
) -> PreparedChange:
    """Load and decide in one round trip, in which the statements `first` go first."""
    write = find_write(type(request))
    assert write  # noqa: S101  # the caller has looked, or it is the Request of a rule
    wanted = wanted or await write.wanted(tx, request)
    texts = await steps.fetch_calls([*first, write.load(wanted, stamp)])
    loaded = await read_loaded(tx, texts[-1] or "", write.kind)
    if loaded.known:
        return PreparedChange(write.repeat(read_known(loaded, loaded.known, stamp)), [])
    change = await decide(write, stamp, loaded, wanted, request)
    return PreparedChange(write.answer(change), await store_calls([change]), change)


def read_known(loaded: Loaded, known: KnownChange, stamp: Stamp) -> KnownChange:
    """Return the change that is stored under the key with its texts; raises Conflict where it is of another request."""
    if not known.same:
        raise reused_key(stamp.key)
    before, after = (restore_texts(rows, known.texts, loaded.rows) for rows in (known.before, known.after))
    return replace(known, before=before, after=after)


async def decide(write: Write, stamp: Stamp, loaded: Loaded, wanted: Wanted, request: Request[Any]) -> DecidedChange:
    """Apply the rule; where many rows were loaded in a thread, so that other requests go on."""

    def apply_rule() -> DecidedChange:
        return decide_change(stamp, loaded, write.decide(loaded, wanted, request))

    return apply_rule() if len(loaded.rows) <= MAX_INLINE_ROWS else await asyncio.to_thread(apply_rule)
