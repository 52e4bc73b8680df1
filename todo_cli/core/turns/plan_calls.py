"""Decide several tool calls at once: load together what they must read, then apply the rule of each.

Nothing is stored here. A held call is stored as a plan, an approved call as the change itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from todo_cli.contract.base import Request
from todo_cli.core.journal import Stamp, make_stamp
from todo_cli.core.tasks.change import Write, decide, find_write, read_known
from todo_cli.core.tasks.load import Loaded, read_loaded
from todo_cli.core.tasks.store import DecidedChange
from todo_cli.core.tasks.working_set import rebase
from todo_cli.core.turns.run_call import parse_tool_request
from todo_cli.db.errors import ConnectionLost
from todo_cli.db.sign_in import ENTER
from todo_cli.db.sql import StatementCall
from todo_cli.db.transaction import Steps, Transaction
from todo_cli.errors import Invalid, TodoError, Unavailable


class UndecidedCall(NamedTuple):
    """A call to decide. `key` is the idempotency key of its change, `turn` the turn that the change belongs to."""

    verb: str
    arguments: dict[str, Any]
    key: str | None = None
    turn: str | None = None


class DecidedCall(NamedTuple):
    """The answer to a call, and its change: None where the key is known, since the change is stored already."""

    answer: Any
    change: DecidedChange | None


class _Pending(NamedTuple):
    request: Request[Any]
    write: Write
    stamp: Stamp
    wanted: Any


async def decide_calls(
    tx: Transaction, steps: Steps, calls: Sequence[UndecidedCall], *, in_order: bool = False
) -> list[DecidedCall | TodoError]:
    """Return the outcome of each call, in one round trip. A call that is refused has its error.

    Each call is decided on the tasks as they are, or with `in_order` as the calls before it leave them.
    """
    pending = [await _prepare(tx, call) for call in calls]
    valid = [call for call in pending if isinstance(call, _Pending)]
    loaded = await _load(tx, steps, valid)
    if isinstance(loaded, TodoError):
        return [call if isinstance(call, TodoError) else loaded for call in pending]
    texts = iter(loaded)
    outcomes: list[DecidedCall | TodoError] = []
    for call in pending:
        earlier = [outcome.change for outcome in outcomes if isinstance(outcome, DecidedCall) and outcome.change]
        outcomes.append(
            call if isinstance(call, TodoError) else await _decide(tx, call, next(texts), earlier if in_order else [])
        )
    return outcomes


async def _prepare(tx: Transaction, call: UndecidedCall) -> _Pending | TodoError:
    try:
        request = parse_tool_request(call.verb, call.arguments)
        write = find_write(type(request))
        if write is None:
            return Invalid(f"{call.verb} needs no approval")
        stamp = make_stamp(tx, request)._replace(key=call.key, turn=call.turn)
        return _Pending(request, write, stamp, await write.wanted(tx, request))
    except TodoError as error:
        return error


async def _load(tx: Transaction, steps: Steps, calls: Sequence[_Pending]) -> list[str | None] | TodoError:
    """Return what each call must read, or the error where the token may not change tasks."""
    if not calls:
        return []
    first = calls[0].request
    inner = tx.inner(type(first), None, enter=True)
    statements: list[StatementCall] = [call.write.load(call.wanted, call.stamp) for call in calls]
    others = {call.request.scope for call in calls} - {first.scope}
    scopes: list[StatementCall] = [(ENTER, {"scope": scope}) for scope in others]
    async with inner.steps() as inner_steps:
        try:
            return (await inner_steps.fetch_calls([*scopes, *statements]))[len(scopes) :]
        except (ConnectionLost, Unavailable):
            raise
        except TodoError as error:
            steps.discard(inner)
            return error


async def _decide(
    tx: Transaction, call: _Pending, text: str | None, earlier: Sequence[DecidedChange]
) -> DecidedCall | TodoError:
    write = call.write
    loaded: Loaded = rebase(await read_loaded(tx, text or "", write.kind), call.wanted, earlier)
    try:
        if loaded.known:
            return DecidedCall(write.repeat(read_known(loaded, loaded.known, call.stamp)), None)
        change = await decide(write, call.stamp, loaded, call.wanted, call.request)
    except TodoError as error:
        return error
    return DecidedCall(write.answer(change), change)
