"""The fields of a task as people write them, checked and turned into columns."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from todo_cli.contract.clock import Clock
from todo_cli.contract.codec import convert_request
from todo_cli.contract.ids import new_id
from todo_cli.contract.task_types import Reminder
from todo_cli.contract.tasks import AddTask, EditTasks, NewTask
from todo_cli.core import validation
from todo_cli.core.tasks.assignees import read_assignee
from todo_cli.core.tasks.new_series import NewRepeat, read_repeat, start_series
from todo_cli.core.tasks.reminders import is_instant, raise_for_no_due, read_coming_reminders, read_reminders
from todo_cli.core.tasks.rows import NO_PRIORITY, TaskRow, date_columns
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Invalid

if TYPE_CHECKING:
    from todo_cli.parsing.quick_add import QuickAddReading

DATES = ("due", "defer", "scheduled")
SERIES_FIELDS = ("title", "note", "priority", "project", "tags", "parent", "remind", "assigned_to")
UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)  # of a new row, until the database sets its times
SERIES_DATES = ("defer_on", "defer_at", "scheduled_on", "scheduled_at")


class TaskPatch(msgspec.Struct, frozen=True, kw_only=True):
    """An edit, checked. `columns` are set as they are, the other fields depend on the row.

    `only_here` names the columns that the edit changes in this occurrence alone: the series keeps their old values.
    `in_series` names those that it changes in the following occurrences too. `moves_series`: the series' dates follow.
    """

    columns: dict[str, Any]
    tags: tuple[str, ...] | UnsetType = UNSET
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    after: tuple[int, ...] | UnsetType = UNSET
    add_after: tuple[int, ...] = ()
    remove_after: tuple[int, ...] = ()
    repeat: NewRepeat | UnsetType | None = UNSET
    remind: tuple[Reminder, ...] | UnsetType = UNSET
    user: str = ""
    only_here: frozenset[str] = frozenset()
    in_series: frozenset[str] = frozenset()
    moves_series: bool = False


class NewRow(NamedTuple):
    """A row to add, which has no number yet.

    Without a project and without a parent it `takes_default_project`, and with a due date `takes_default_reminder`,
    unless the task says that it has none. `created` is the first moment of the day that a line of todo.txt names as that
    of its creation.
    """

    row: TaskRow
    takes_default_project: bool
    takes_default_reminder: bool
    created: datetime | None = None


async def read_new_task(tx: Transaction, task: AddTask | NewTask, *, parse: bool) -> NewRow:
    """Return a new row; with `parse` the title is read as quick add. Raises Invalid."""
    given = _fields(await parse_title(tx, task) if parse else task)
    if given["project"] is None and given["parent"] is None:
        given["project"] = given["default_project"]
    given["due"], given["every"] = move_time_to_rule(given["due"], given["every"])
    reminders = given["remind"] or ()
    words = [given[name] for name in (*DATES, "every") if given[name]]
    words += [text for text in reminders if is_instant(text)]
    clock = await validation.read_clock_for(tx, words) if words or reminders else None
    dates: dict[str, Any] = {}
    for name in DATES:
        if clock and given[name]:
            dates |= date_columns(name, validation.parse_date_at(given[name], clock))
    row = TaskRow(
        number=0,
        id=new_id(),
        title=validation.check_line("title", given["title"]),
        status="open",
        priority=given["priority"] or NO_PRIORITY,
        tracked=0,
        rev=0,
        created_at=UNKNOWN_TIME,
        updated_at=UNKNOWN_TIME,
        note=validation.check_text("note", task.note) if task.note else None,
        project=validation.read_project(given["project"]) if given["project"] else None,
        parent=given["parent"],
        discovered_from=given["discovered_from"],
        assigned_to=read_assignee(given["assigned_to"]),
        tags=validation.read_tags(given["tags"]),
        after=tuple(sorted(set(given["after"] or ()))),
        remind=None if given["remind"] is None else read_reminders(reminders, tx.caller.user_id, clock),
        **dates,
    )
    if clock and given["every"]:
        row = start_series(row, read_repeat(given["every"], clock))
    raise_for_no_due([row], tx.caller.user_id)
    return NewRow(
        row,
        takes_default_project=given["project"] is None and given["parent"] is None,
        takes_default_reminder=given["remind"] is None and bool(row.due_on or row.due_at),
    )


def _fields(task: AddTask | NewTask) -> dict[str, Any]:
    fields = {name: getattr(task, name) for name in NewTask.__struct_fields__}
    return {name: None if value is UNSET or _is_cleared(name, value) else value for name, value in fields.items()}


def _is_cleared(name: str, value: object) -> bool:
    """Return whether the words of a date or a recurrence are `none`, which clears the field."""
    if name not in (*DATES, "every") or not isinstance(value, str):
        return False
    return value.strip().lower().removeprefix("every ") == "none"


def move_time_to_rule(due: str | None, every: str | None) -> tuple[str | None, str | None]:
    """Give a due time without a day to the recurrence beside it: `6pm` and `every sunday`."""
    if not due or not every:
        return due, every
    from todo_cli.parsing import recurrence

    return recurrence.move_time_to_rule(due, every)


async def parse_title(tx: Transaction, task: AddTask | NewTask) -> NewTask:
    """Read the title as quick add; raises Invalid for a value of the wrong form."""
    reading = await _read_quick_add(tx, validation.check_line("title", task.title))
    parsed: dict[str, Any] = {name: value for name, value in reading.fields._asdict().items() if value}
    return merge_fields(task, parsed | ({"remind": ()} if "remind" in reading.cleared else {}))


def merge_fields(task: AddTask | NewTask, parsed: dict[str, Any]) -> NewTask:
    """Return the task with the fields that its title names. A field that was given beside the title wins."""
    given = {
        name: value
        for name, value in _fields(task).items()
        if value not in (None, ()) or (name == "remind" and value == ())  # no reminder, not even the usual one
    }
    for name in ("tags", "after"):
        if name in parsed and name in given:
            given[name] = tuple(dict.fromkeys((*given[name], *parsed[name])))
    return convert_request(given | parsed | {name: given[name] for name in given if name != "title"}, NewTask)


async def _read_quick_add(tx: Transaction, text: str) -> QuickAddReading:
    """Read the text on the user's current day, which decides whether `fri 4 dec` is a date.

    A text without dates is read without asking the database for the day.
    """
    from todo_cli.parsing.quick_add import read_quick_add

    clock = tx.estimate_clock()
    reading = read_quick_add(text, _day_of(clock) if clock else UNKNOWN_TIME.date())
    fields = reading.fields
    dated = fields.due or fields.defer or fields.scheduled or fields.every or fields.remind
    if clock or not (reading.refused or dated):
        return reading
    return read_quick_add(text, _day_of(await tx.read_clock()))


def _day_of(clock: Clock) -> date:
    from todo_cli.parsing.dates import zone_of

    return clock.now.astimezone(zone_of(clock.zone)).date()


def read_patch(request: EditTasks, clock: Clock, user: str) -> TaskPatch:
    """Return the edit of a user, checked; raises Invalid, also for an edit that changes nothing."""
    has_due, request = bool(request.due), _normalize_words(request)
    columns = _read_columns(request, clock)
    repeat: NewRepeat | UnsetType | None = UNSET
    if request.every is not UNSET:
        repeat = read_repeat(request.every, clock) if request.every else None
        if repeat and has_due and request.due is UNSET:
            columns |= date_columns("due", repeat.first)
    if repeat and request.due is None:
        raise Invalid("a recurring task needs a due date", hint="keep the due date, or drop --every")
    patch = TaskPatch(
        columns=columns,
        tags=UNSET if request.tags is UNSET else validation.read_tags(request.tags),
        add_tags=validation.read_tags(request.add_tags),
        remove_tags=validation.read_tags(request.remove_tags),
        after=request.after,
        add_after=request.add_after or (),
        remove_after=request.remove_after or (),
        repeat=repeat,
        remind=UNSET if request.remind is UNSET else read_coming_reminders(request.remind, user, clock),
        user=user,
    )
    given = (request.tags, request.after, request.add_after, request.remove_after, request.remind, repeat)
    if not columns and not patch.add_tags and not patch.remove_tags and all(value is UNSET for value in given):
        raise Invalid("no change was given", hint="for example: todo edit 12 --due tomorrow")
    return _with_reach(patch, request)


def _normalize_words(request: EditTasks) -> EditTasks:
    """Replace `none` by null, and give a due time without a day to the recurrence."""
    words = {name: getattr(request, name) for name in (*DATES, "every")}
    words = {name: None if _is_cleared(name, value) else value for name, value in words.items()}
    if words["due"] and words["every"]:
        words["due"], words["every"] = move_time_to_rule(words["due"], words["every"])
        words["due"] = words["due"] or UNSET
    return msgspec.structs.replace(request, **words)


def _read_columns(request: EditTasks, clock: Clock) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    if request.title is not UNSET:
        columns["title"] = validation.check_line("title", request.title)
    if request.note is not UNSET:
        columns["note"] = validation.check_text("note", request.note) if request.note else None
    if request.project is not UNSET:
        columns["project"] = validation.read_project(request.project) if request.project else None
    if request.priority is not UNSET:
        columns["priority"] = request.priority or NO_PRIORITY
    if request.parent is not UNSET:
        columns["parent"] = request.parent
    if request.discovered_from is not UNSET:
        columns["discovered_from"] = request.discovered_from
    if request.assigned_to is not UNSET:
        columns["assigned_to"] = read_assignee(request.assigned_to)
    for name in DATES:
        words = getattr(request, name)
        if words is not UNSET:
            columns |= date_columns(name, validation.parse_date_at(words, clock) if words else None)
    return columns


def _with_reach(patch: TaskPatch, request: EditTasks) -> TaskPatch:
    """Return the patch with the columns that change in this occurrence alone, and those that change in the series."""
    tags_change = bool(patch.tags is not UNSET or patch.add_tags or patch.remove_tags)
    lists = {"tags": tags_change, "remind": patch.remind is not UNSET}
    changed = {*patch.columns, *(name for name, changes in lists.items() if changes)}
    fields = frozenset(changed.intersection(SERIES_FIELDS))
    dates = frozenset(changed.intersection(SERIES_DATES))
    if request.occurrences == "this":
        return msgspec.structs.replace(patch, only_here=fields | dates)
    if request.occurrences == "all":
        return msgspec.structs.replace(patch, in_series=fields | dates, moves_series=bool(request.due))
    return msgspec.structs.replace(patch, only_here=dates, in_series=fields)
