"""What recurs: one task an occurrence. To finish one makes the next, once, in the same write.

A first try finds what recurs and changes nothing; the second brings the next dates, worked out for exactly what the first
has seen. Where that has changed in between it is worked out once more. Two round trips, where nothing recurs one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
from msgspec import UNSET

from todo_cli.contract import tasks as ask
from todo_cli.contract.codec import decode
from todo_cli.contract.ids import new_id
from todo_cli.contract.tasks import Changed, OnTasks
from todo_cli.contract.time_tracking import SkipTasks
from todo_cli.core import validation
from todo_cli.core.dispatch import handler
from todo_cli.core.tasks.targets import Targets, selected
from todo_cli.core.tasks.update_result import Recurring, Verdict
from todo_cli.core.tasks.update_sql import tried
from todo_cli.db.sql import Sql
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Conflict, Invalid

TRIES = 2  # with dates worked out; each is a round trip
When = date | datetime
Row = dict[str, Any]

COPIED = ("title", "note", "priority", "project", "tags", "parent")
PUT_OFF = ("defer", "scheduled")

SUBTASKS = Sql("""
WITH RECURSIVE part AS (
  SELECT t.number, 1 AS depth FROM todo.tasks t WHERE t.space_id = %(space)s::uuid AND t.status = 'open'
    AND t.parent IN (SELECT jsonb_array_elements_text(%(numbers)s::jsonb)::bigint)
  UNION
  SELECT t.number, depth + 1 FROM part JOIN todo.tasks t ON t.space_id = %(space)s::uuid AND t.parent = part.number
   WHERE t.status = 'open' AND depth < 100)
SELECT json_agg(DISTINCT number)::text FROM part""")


async def every(tx: Transaction, text: str) -> Row:
    """The user's words as a patch's `every`: the rule, and the first date for a task that has none; raises Invalid."""
    from todo_cli.parsing.recurrence import first_occurrence, parse_recurrence

    zone, now = await validation.zone(tx), datetime.now(UTC)
    found = parse_recurrence(text, zone=zone, now=now)
    begins = first_occurrence(found.rule, zone=zone, now=now, start=found.start)
    return {"rule": found.rule, "from_done": found.from_done, "zone": zone} | validation.columns("first", begins)


def begun(rule: Row, due: Row) -> Row:
    """A new task's columns: its first date is its due date, or else the rule's first."""
    dated = due.get("due_on") or due.get("due_at")
    found = dated or rule["first_on"] or rule["first_at"]
    kept = {name: rule[name] for name in ("rule", "from_done", "zone")}
    day = {} if dated else {"due_on": rule["first_on"], "due_at": rule["first_at"]}
    return day | {"occurrence": 1, "repeat": kept | {"anchor": found, "slot": found}}


@handler(ask.CompleteTasks)
async def complete_tasks(tx: Transaction, request: ask.CompleteTasks) -> Changed:
    """Done stays done, with its first time of completion."""
    numbers, deep = tuple(dict.fromkeys(request.numbers)), request.with_subtasks is True
    if deep and request.if_claimed is True:
        raise Invalid(
            "--if-claimed and --with-subtasks exclude each other", hint="its subtasks are claimed by themselves"
        )
    if deep and numbers:
        found = await tx.finish(SUBTASKS, numbers=msgspec.json.encode(numbers).decode())
        numbers = tuple(dict.fromkeys((*numbers, *decode(found or "[]", list[int]))))
    patch = {"status": "done", "finish": True} | ({"if_claimed": True} if request.if_claimed is True else {})
    return await _finished(tx, request, patch, numbers, await selected(tx, request, patch, deep=deep))


@handler(SkipTasks)
async def skip_tasks(tx: Transaction, request: SkipTasks) -> Changed:
    """The task itself moves to its next date; raises Conflict for what does not recur or has no next."""
    numbers, patch = tuple(dict.fromkeys(request.numbers)), {"skip": True}
    return await _finished(tx, request, patch, numbers, await selected(tx, request, patch))


async def _finished(
    tx: Transaction, request: OnTasks, patch: Row, numbers: tuple[int, ...], by: Targets | None
) -> Changed:
    patches = [] if by else [patch | {"number": number} for number in numbers]
    verdict = await tried(tx, request, patches, by=by)
    ended: tuple[int, ...] = ()
    worked: dict[int, Worked] = {}
    for _ in range(TRIES):
        if not verdict.recurring and not verdict.stale:
            break
        found = [] if verdict.stale else verdict.recurring or []
        worked = {} if verdict.stale else worked  # what was worked out before and is as it was seen, still holds
        worked |= {one.now["number"]: _worked(one, skip=isinstance(request, SkipTasks)) for one in found}
        own = {number: patch | one.patch for number, one in worked.items()}
        known = {one["number"]: one for one in patches} | own
        again = [one.again for one in worked.values() if one.again and one.again["number"] not in known]
        births = [one.birth for one in worked.values() if one.birth]
        ended = tuple(number for number, one in worked.items() if one.ended)
        verdict = await tried(tx, request, [*known.values(), *again], births=births, by=by)
    if verdict.recurring or verdict.stale:
        raise Conflict("these tasks are being changed by others at this moment; nothing was done", hint="try again")
    return _told(verdict, request, ended)


def _told(verdict: Verdict, request: OnTasks, ended: tuple[int, ...]) -> Changed:
    more = verdict.open_subtasks if isinstance(request, ask.CompleteTasks) else None
    return Changed(
        tasks=verdict.tasks, seq=verdict.seq, new=verdict.new, open_subtasks=more or UNSET, ended=ended or UNSET
    )


class Worked(msgspec.Struct):
    """What finishes an occurrence: its own patch, and a new row, or a patch that takes the next out of the bin."""

    patch: Row
    birth: Row | None = None
    again: Row | None = None
    ended: bool = False


def _worked(one: Recurring, *, skip: bool) -> Worked:
    number = one.now["number"]
    if one.now["status"] != "open" or "repeat" not in one.now:  # somebody else was quicker
        return Worked({"number": number} | ({"skip": True} if skip else {"status": "done", "finish": True}))
    coming = next_of(one.now, datetime.now(UTC), skip=skip)
    if skip:
        return Worked(_skipped(one, coming))
    patch = {"number": number, "status": "done", "finish": True, "seen": one.seen}
    if one.made and one.status != "deleted":
        return Worked(patch)
    if coming is None:
        return Worked(patch, ended=True)
    if one.made:
        row = {name: value for name, value in coming.items() if name not in ("id", "links")}
        return Worked(patch, again=row | {"number": one.made, "status": "open", "reborn": True})
    return Worked(patch, birth=coming)


def _skipped(one: Recurring, coming: Row | None) -> Row:
    number = one.now["number"]
    if one.made and one.status != "deleted":
        raise Conflict(f"the occurrence after #{number} is there already: #{one.made}; nothing was changed",
                       hint=f"put this one away with: todo rm {number}")  # fmt: skip
    if coming is None:
        raise Conflict(f"task #{number} is the last of its series; nothing was changed",
                       hint=f"finish it with: todo done {number}, or todo rm {number}")  # fmt: skip
    dates = {f"{name}_{form}": coming[f"{name}_{form}"] for name in ("due", *PUT_OFF) for form in ("on", "at")}
    kept = {name: value for name, value in one.now["repeat"].items() if name not in ("series", "occurrence")}
    return {"number": number, "skip": True, "seen": one.seen} | dates | {
        "repeat": kept | {"slot": coming["repeat"]["slot"]}
    }  # fmt: skip


def next_of(now: Row, moment: datetime, *, skip: bool = False) -> Row | None:
    """The occurrence after that of an image, as a new row; None where its series ends.

    It is the first date after its own that has not passed at `moment`: what was missed is not made up for. What edits of
    this one alone have hidden is as the series has it, and what it is put off by stays as far from its date.
    """
    from todo_cli.parsing.recurrence import next_occurrence

    repeat, template = now["repeat"], now["repeat"].get("template", {})
    zone, slot = repeat["zone"], _when(repeat["slot"])
    from_done = repeat["from_done"]
    found = next_occurrence(
        repeat["rule"], anchor=_when(repeat["anchor"]), zone=zone, from_done=from_done, occurrence=repeat["occurrence"],
        after=moment if from_done and not skip else _last(slot, moment, zone, skip=skip),
    )  # fmt: skip
    if found is None:
        return None
    days = (_day(found, zone) - _day(slot, zone)).days
    row = (
        {name: template.get(name, now.get(name)) for name in COPIED}
        | {"id": new_id()}
        | validation.columns("due", found)
    )
    for name in PUT_OFF:
        row |= validation.columns(name, _moved(_put_off(now, template, name), days, zone))
    kept = {name: repeat[name] for name in ("rule", "from_done", "zone", "anchor")}
    return row | {
        "series": repeat["series"], "occurrence": repeat["occurrence"] + 1, "repeat": kept | {"slot": _text(found)}
    }  # fmt: skip


def _last(slot: When, moment: datetime, zone: str, *, skip: bool) -> When:
    """What the next date must lie behind: this one's, and what has passed. To skip goes on by one, whenever that is."""
    if skip:
        return slot
    if isinstance(slot, datetime):
        return max(slot, moment)
    return max(slot, _day(moment, zone) - timedelta(days=1))


def _put_off(now: Row, template: Row, name: str) -> When | None:
    hidden = f"{name}_on" in template
    found = template[f"{name}_on"] or template[f"{name}_at"] if hidden else now.get(name)
    return _when(found) if found else None


def _moved(found: When | None, days: int, zone: str) -> When | None:
    """So many days later, at the same time of day; None where the calendar ends."""
    from todo_cli.parsing.dates import zone_of

    try:
        if not isinstance(found, datetime):
            return found and found + timedelta(days=days)
        local = found.astimezone(zone_of(zone))
        clock: time = local.timetz()
        return datetime.combine(local.date() + timedelta(days=days), clock).astimezone(UTC)
    except OverflowError:
        return None


def _when(text: str) -> When:
    return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)


def _text(when: When) -> str:
    return when.astimezone(UTC).isoformat() if isinstance(when, datetime) else when.isoformat()


def _day(when: When, zone: str) -> date:
    from todo_cli.parsing.dates import zone_of

    return when.astimezone(zone_of(zone)).date() if isinstance(when, datetime) else when
