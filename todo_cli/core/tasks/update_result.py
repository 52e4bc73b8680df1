"""What the statement that changes tasks found, and the error that a refusal is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NoReturn

import msgspec

from todo_cli.contract.tasks import Task
from todo_cli.core.journal import TOLD, key_reused, told
from todo_cli.core.tasks.cycle_checks_sql import DEEPEST
from todo_cli.core.tasks.select import missing_tasks, name_tasks
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid, NotAllowed


class _Moved(msgspec.Struct):
    now: dict[str, Any]
    at: str
    by: str | None = None
    then: dict[str, Any] | None = None


class Recurring(msgspec.Struct):
    """A task that recurs, and its next occurrence where there is one: what must be worked out before it is finished."""

    now: dict[str, Any]
    seen: str
    made: int | None = None
    status: str | None = None


class Held(msgspec.Struct):
    """A task, and who has claimed it, until when."""

    number: int
    by: str | None = None
    until: datetime | None = None


class Refs(msgspec.Struct):
    """Why a parent or a link was refused: numbers by reason."""

    unknown: list[int] | None = None
    gone: list[int] | None = None
    circled: list[int] | None = None
    buried: list[int] | None = None
    waiting: list[int] | None = None
    endless: list[int] | None = None
    overlinked: list[int] | None = None


class Verdict(Refs):
    """What the statement found: the tasks as they are now, or why nothing was done."""

    same: bool = True
    new: bool = False
    seq: int = 0
    tasks: tuple[Task, ...] = ()
    open_subtasks: int | None = None
    missing: list[int] | None = None
    binned: list[int] | None = None
    moved: list[_Moved] | None = None
    overfull: list[int] | None = None
    closed: list[int] | None = None
    once: list[int] | None = None
    recurring: list[Recurring] | None = None
    held: list[Held] | None = None
    lost: list[Held] | None = None
    unforced: bool | None = None
    nothing: bool | None = None
    crowd: int | None = None
    vague: bool | None = None
    stale: bool | None = None


def judged(tx: Transaction, verdict: Verdict) -> Verdict:
    """The verdict, or the error that it stands for."""
    if not verdict.same:
        raise key_reused(tx)
    if verdict.missing:
        raise missing_tasks(verdict.missing)
    if verdict.binned:
        first = verdict.binned[0]
        raise Conflict(
            f"{named(verdict.binned)} is in the trash; nothing was changed", hint=f"first: todo restore {first}"
        )
    if verdict.moved:
        _moved_on(verdict.moved)
    if verdict.overfull:
        raise Conflict(f"{named(verdict.overfull)} would have more than 100 tags; nothing was changed")
    if verdict.closed:
        first = verdict.closed[0]
        raise Conflict(f"{named(verdict.closed)} is done; nothing was changed", hint=f"first: todo reopen {first}")
    if verdict.once:
        raise Conflict(f"{named(verdict.once)} does not recur; nothing was changed",
                       hint=f"for example: todo edit {verdict.once[0]} --every week")  # fmt: skip
    _owned(verdict)
    untied(verdict, "changed")
    return verdict


def _owned(verdict: Verdict) -> None:
    """Raises for what another has claimed."""
    if verdict.unforced:
        raise NotAllowed("this token is narrowed: it may not take away what another has claimed",
                         hint="a person may, with a token of every scope")  # fmt: skip
    if verdict.held:
        first = verdict.held[0]
        raise Conflict(f"task #{first.number} is claimed by {_holder(first)}; nothing was changed",
                       hint=f"wait for it with: todo wait {first.number} --until unclaimed",
                       numbers=[one.number for one in verdict.held])  # fmt: skip
    if verdict.lost:
        first = verdict.lost[0]
        now = f"claimed by {_holder(first)}" if first.by else "claimed by nobody"
        raise Conflict(f"task #{first.number} is no longer yours: it is {now}; nothing was changed",
                       hint="claim another with: todo claim --next", numbers=[one.number for one in verdict.lost])  # fmt: skip


def _holder(held: Held) -> str:
    return f"{held.by} until {held.until.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if held.until else str(held.by)


def untied(found: Refs, done: str) -> None:
    """Raises for a parent or a link that is not there, or that would make a circle."""
    if found.unknown:
        raise missing_tasks(found.unknown, done)
    if found.gone:
        raise Conflict(
            f"{named(found.gone)} is in the trash; nothing was {done}", hint=f"first: todo restore {found.gone[0]}"
        )
    if found.circled:
        raise Invalid(f"{named(found.circled)} would be a subtask of itself; nothing was {done}",
                      hint="see what is a part of what: todo show N, todo list parent:N")  # fmt: skip
    if found.buried:
        raise Invalid(f"subtasks would be more than {DEEPEST} deep under {named(found.buried)}; nothing was {done}")
    if found.waiting:
        raise Invalid(f"{named(found.waiting)} would wait for itself; nothing was {done}",
                      hint=f"see what it waits for: todo show {found.waiting[0]}")  # fmt: skip
    if found.endless:
        raise Invalid(f"too many tasks wait for each other around {named(found.endless)}; nothing was {done}",
                      hint="name fewer tasks at once")  # fmt: skip
    if found.overlinked:
        raise Conflict(f"{named(found.overlinked)} would wait for more than 100 tasks; nothing was {done}")


def _moved_on(moved: list[_Moved]) -> NoReturn:
    first = moved[0]
    was = first.then or {}
    pairs = {name: [told(was, name), told(first.now, name)] for name in TOLD}
    changed = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    what = ", ".join(f"{name}: {_shown(a)} → {_shown(b)}" for name, (a, b) in changed.items()) if was else "unknown"
    number, rev = first.now["number"], first.now["rev"]
    raise Conflict(
        f"task #{number} has moved on to rev {rev}, changed by {first.by or 'somebody'} at {first.at} ({what})",
        hint=f"look at it with: todo show {number}",
        number=number, rev=rev, by=first.by, at=first.at, changed=changed,
    )  # fmt: skip


def _shown(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "none" if value in (None, []) else text if len(text) <= 60 else text[:57] + "…"


def named(numbers: list[int]) -> str:
    """`task #3` or `tasks #3, #4`, at most ten of them."""
    return name_tasks(numbers)
