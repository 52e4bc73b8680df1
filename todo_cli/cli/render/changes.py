"""Format the changes of the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from msgspec.structs import replace

from todo_cli.cli.render.bars import measure_line
from todo_cli.cli.render.cells import cut, measure, pad, wrap_hanging, wrap_words
from todo_cli.cli.render.colors import Line, Piece, Role
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.list_view import ListView
from todo_cli.cli.render.signs import UNICODE_SIGNS
from todo_cli.cli.render.text import format_day, format_duration, format_instant, parse_due
from todo_cli.contract.journal import Change, Difference
from todo_cli.contract.registry import label_of

MAX_VALUE_CHARS = 60
MAX_ACTOR_CELLS = 30
MIN_ONE_LINE_WIDTH = 56
"""In cells; on a narrower terminal a change takes two lines."""

NARROW_INDENT = 4
"""Of what a change did, on a narrow terminal."""
MIN_EFFECT_CELLS = 16
"""The least room for it behind the name of the command."""

FIELD_NAMES = {
    "remind": "reminds",
    "started_at": "started",
    "tracked": "worked",
    "claimed_by": "claimed by",
    "discovered_from": "found in",
    "assigned_to": "assigned to",
}
IMPLIED_FIELDS = {
    "CompleteTasks": ("status",),
    "ReopenTasks": ("status",),
    "DeleteTasks": ("status",),
    "RestoreTasks": ("status",),
    "StartTasks": ("started_at",),
    "ClaimTask": ("claimed_by",),
    "ReleaseTasks": ("claimed_by",),
    "TakeTask": ("claimed_by",),
    "MoveTasks": ("position",),
    "SortTasks": ("position",),
}
"""Verb -> the fields whose change its own name says."""
VERB_ROLES: dict[str, Role] = {"add": "added", "done": "added", "rm": "removed"}


def format_value(value: Any, ellipsis: str = UNICODE_SIGNS.ellipsis) -> str:
    """Return a field's value on one line, cut to 60 characters."""
    if value in (None, [], ()):
        return "none"
    text = " ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
    return text if len(text) <= MAX_VALUE_CHARS else text[: MAX_VALUE_CHARS - len(ellipsis)] + ellipsis


def format_field(name: str, value: Any, view: ListView) -> str:
    """Return a field's value as people read it: a local date, a number of a task, a duration."""
    if value in (None, [], ()):
        return "none"
    try:
        if name in ("due", "defer", "scheduled", "started_at"):
            return _format_date(value, view)
        if name in ("parent", "after", "discovered_from"):
            return " ".join(f"#{number}" for number in (value if name == "after" else [value]))
        if name == "attachments":
            return format_value(", ".join(value), view.signs.ellipsis)
        if name == "remind":
            return ", ".join(_format_date(each, view) if each.endswith("Z") else each for each in value)
        if name == "tracked":
            return format_duration(value)
    except (TypeError, ValueError, AttributeError):  # a person's own login may write any value into the journal
        return format_value(value, view.signs.ellipsis)
    return f"p{value}" if name == "priority" else format_value(value, view.signs.ellipsis)


def _format_date(value: str, view: ListView) -> str:
    """Return `30 Nov`, or `30 Nov 09:00` for an instant; if absolute, `2026-11-30 09:00`."""
    when = parse_due(value)
    local = when.astimezone(view.zone) if isinstance(when, datetime) else None
    day: date = local.date() if local else when
    clock = f" {local:%H:%M}" if local else ""
    return (str(day) if view.absolute else format_day(day, (day - view.today).days)) + clock


def format_difference(difference: Difference, view: ListView, hidden: Collection[str] = ()) -> str:
    """Return `#12 Pay rent: due none → 1 Dec, status open → done`, without the hidden fields."""
    effect = format_effect(difference, view, hidden)
    return f"{name_task(difference.number, difference.title)}{': ' if effect else ''}{effect}"


def name_task(number: int, title: str) -> str:
    """Return `#12 Pay rent`."""
    return escape(f"#{number} {title}")


def format_effect(difference: Difference, view: ListView, hidden: Collection[str] = ()) -> str:
    """Return `due none → 1 Dec, status open → done`, without the hidden fields."""
    parts = []
    for name, (old, new) in difference.fields.items():
        if name in hidden:
            continue
        value, shown_name = format_field(name, new, view), FIELD_NAMES.get(name, name)
        before = "" if difference.added else f"{format_field(name, old, view)} {view.signs.arrow} "
        parts.append(f"{shown_name} {before}{value}")
    return escape(", ".join(parts))


def describe_actor(change: Change) -> str:
    """Return who made the change: `you`, `ada`, `model in conversation 3`, `agent "laptop"`."""
    if change.by_model:
        place = f" in conversation {change.conversation}" if change.conversation else ""
        return f"model{place}" if change.mine else f"{change.user}'s model"
    if change.way == "mcp":
        agent = f'agent "{change.token}"' if change.token else "agent"
        return agent if change.mine else f"{change.user}'s {agent}"
    if not change.mine:
        return change.user
    return "you" if change.same_token or not change.token else f'you with "{change.token}"'


def format_changes(changes: Sequence[Change], view: ListView, width: int, *, by_field: bool = False) -> list[Line]:
    """Return the lines of the log: the changes of each day below its name; `by_field` with a line for each field."""
    actors = [escape(describe_actor(change)) for change in changes]
    cells = _Cells(
        seq=max((len(str(change.seq)) for change in changes), default=0),
        actor=min(MAX_ACTOR_CELLS, max(map(measure, actors), default=0)),
        label=max((len(label_of(change.verb)) for change in changes), default=0),
    )
    lines: list[Line] = []
    for day, group in groupby(changes, lambda change: change.at.astimezone(view.zone).date()):
        lines += [*([[]] if lines else []), [Piece(_format_heading(day, view), "heading")]]
        for change in group:
            lines += _format_change(change, cells, view, width, by_field=by_field)
    return lines


def _format_heading(day: date, view: ListView) -> str:
    if view.absolute:
        return f"{day:%a} {day}"
    days = (day - view.today).days
    name = {-1: f"Yesterday {view.signs.dot} ", 0: f"Today {view.signs.dot} "}.get(days, "")
    return f"{name}{day:%a} {format_day(day, days)}"


class _Cells:
    """The widths of the columns of a log, in cells."""

    def __init__(self, *, seq: int, actor: int, label: int) -> None:
        self.seq, self.actor, self.label = seq, actor, label


def _format_change(change: Change, cells: _Cells, view: ListView, width: int, *, by_field: bool) -> Iterator[Line]:
    """Yield the change on one line, or on two on a narrow terminal, and below it a line for each of several tasks."""
    actor = cut(escape(describe_actor(change)), cells.actor, view.signs.ellipsis)
    label = label_of(change.verb)
    role: Role = "grey" if change.undone else ""
    time: Line = [
        Piece(f" {pad(str(change.seq), cells.seq, 'right')}  ", "grey"),
        Piece(f"{change.at.astimezone(view.zone):%H:%M}  "),
    ]
    user, command = (
        Piece(f"{pad(actor, cells.actor)}  "),
        Piece(f"{pad(label, cells.label)}  ", VERB_ROLES.get(label, "")),
    )
    head, below = [*time, user, command], measure_line(time)
    first, *others = _name_tasks(change, view) if by_field else _describe_effects(change, view)
    if width < MIN_ONE_LINE_WIDTH:
        yield [*time, user]
        below = NARROW_INDENT
        yield from _write_below([Piece("  "), command._replace(text=label)], first, role, width)
    else:
        indent = measure_line(head)
        for index, line in enumerate(wrap_words(first, width - indent)):
            yield [*(head if index == 0 else [Piece(" " * indent)]), Piece(line, role)]
    for effect in others:
        for index, line in enumerate(wrap_words(effect, width - below - 2)):
            yield [Piece(" " * (below if index == 0 else below + 2)), Piece(line, role)]
    if by_field:
        yield from _format_fields(change, view, width)


def _write_below(head: Line, effect: str, role: Role, width: int) -> Iterator[Line]:
    """Yield the effect behind its command as far as it fits there, and the rest of it below."""
    room = width - measure_line(head) - 2
    first, *lines = wrap_hanging(effect, room if room >= MIN_EFFECT_CELLS else 0, width - NARROW_INDENT)
    yield [*head, Piece(f"  {first}", role)] if first else head
    yield from ([Piece(" " * NARROW_INDENT), Piece(line, role)] for line in lines)


def _describe_effects(change: Change, view: ListView) -> Iterator[str]:
    """Yield what the change did: of one task its fields, of several their number and a line for each."""
    undoes = f"of {change.undoes} " if change.undoes else ""
    undone = " (undone)" if change.undone else ""
    hidden = IMPLIED_FIELDS.get(change.verb, ())
    effects = [format_difference(difference, view, hidden) for difference in change.differences]
    if change.tasks > 1:
        yield f"{undoes}{change.tasks:,} tasks{undone}"
        yield from effects
        if change.tasks > len(effects) >= 10:
            yield f"{view.signs.ellipsis} and {change.tasks - len(effects):,} more"
    else:
        yield f"{undoes}{effects[0] if effects else escape(change.about or '')}{undone}".strip()


def _name_tasks(change: Change, view: ListView) -> list[str]:
    """Return the line that names the task, or counts the tasks, without what became of them."""
    bare = tuple(replace(difference, fields={}) for difference in change.differences)
    return list(_describe_effects(replace(change, differences=bare), view))[:1]


def _format_fields(change: Change, view: ListView, width: int) -> Iterator[Line]:
    """Yield a line for each field that the change has set: `- old` in one role, `+ new` in another."""
    for difference in change.differences:
        prefix = f"#{difference.number} " if change.tasks > 1 else ""
        for name, (old, new) in difference.fields.items():
            label = f"    {prefix}{FIELD_NAMES.get(name, name)}"
            values: list[tuple[str, Role]] = (
                [] if difference.added else [(f"- {format_field(name, old, view)}", "removed")]
            )
            for value, role in [*values, (f"+ {format_field(name, new, view)}", "added")]:
                yield [
                    Piece(f"{pad(label, 18)} ", "grey"),
                    Piece(cut(escape(value), width - 19, view.signs.ellipsis), role),
                ]
                label = ""


def change_cells(change: Change) -> list[str]:
    """Return the cells for a pipe: seq, time, user, token, way, command, task numbers, undone."""
    numbers = ",".join(str(difference.number) for difference in change.differences)
    cells = [
        str(change.seq),
        format_instant(change.at),
        change.user,
        change.token,
        change.way,
        label_of(change.verb),
        numbers or change.about or "",
        "undone" if change.undone else "",
    ]
    return [escape(cell) for cell in cells]
