"""Print and format plain lines. It does not import rich, so the quick commands stay quick."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Set
from datetime import UTC, date, datetime, tzinfo
from functools import partial
from typing import TYPE_CHECKING

from todo_cli.cli.render.escape import escape
from todo_cli.contract.tasks import Changed, CompleteTasks, ReopenTasks, Repeat, Task

if TYPE_CHECKING:
    from todo_cli.cli.session import Session

FAR_DAYS = 300
"""Days in the future from which on a date has its year, and no time."""
MAX_DAYS_AGO = 13
"""Days in the past that are counted; earlier ones are dates."""


def write(line: str) -> None:
    """Print a line on stdout."""
    sys.stdout.write(line + "\n")


def write_wrapped(line: str, indent: str = "  ") -> None:
    """Print a sentence on stdout. On a terminal it breaks between words, and its further lines are indented."""
    write(wrap(line, indent) if sys.stdout.isatty() else line)


def note(line: str) -> None:
    """Print a line on stderr: progress, hints and warnings. On a terminal it breaks between words."""
    if sys.stderr.isatty():
        line = "\n".join(wrap(part) for part in line.split("\n"))
    sys.stderr.write(line + "\n")


def hint(session: Session, line: str) -> None:
    """Print a hint at another command on stderr: grey, on a terminal only, and not if the user wants none."""
    if session.display.hints is False or not sys.stderr.isatty():
        return
    lines = "\n".join(wrap(part) for part in line.split("\n"))
    sys.stderr.write(f"\x1b[2m{lines}\x1b[0m\n" if session.use_color else f"{lines}\n")


def wrap(line: str, indent: str = "") -> str:
    """Break a line that is wider than the terminal at blanks; colours take no room, and other blanks stay."""
    import shutil

    width = shutil.get_terminal_size().columns - 1
    if width < 19 or _measure_colored(line) <= width:
        return line
    indent = indent if len(indent) <= width // 3 else "  "
    lines, room = [""], width
    for blanks, word in re.findall(r"(\s*)(\S+)", line):
        cells = _measure_colored(blanks + word)
        if cells > room and lines[-1].strip():
            lines.append(indent + word)
            room = width - _measure_colored(lines[-1])
        else:
            lines[-1] += blanks + word
            room -= cells
    return "\n".join(lines)


def _measure_colored(text: str) -> int:
    """Return the cells of a text that may have colours."""
    from todo_cli.cli.render.cells import measure

    return measure(re.sub(r"\x1b\[[\d;]*m", "", text) if "\x1b" in text else text)


def parse_due(due: str) -> date | datetime:
    """Parse a task's due date."""
    return datetime.fromisoformat(due) if "T" in due else date.fromisoformat(due)


def format_due(due: str, zone: tzinfo | None, now: datetime, *, absolute: bool = False) -> str:
    """Return `3 days ago`, `today 17:00`, `tomorrow`, `Fri`, `24 Dec 2027`; if absolute, `2026-12-24 17:00`."""
    day, clock = _split_due(due, zone)
    if absolute:
        return f"{day}{clock}"
    days = (day - now.astimezone(zone).date()).days
    if days in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[days + 1] + clock
    if -MAX_DAYS_AGO <= days < 0:
        return f"{-days} days ago"
    if 1 < days < 7:
        return f"{day:%a}{clock}"
    return format_day(day, days) + (clock if 0 < days < FAR_DAYS else "")


def format_day(day: date, days: int) -> str:
    """Return `24 Dec`, with the year where day and month could name another date; `days` is the distance from today."""
    is_near = -60 < days < FAR_DAYS  # less than a year in all
    return f"{day.day} {day:%b}" + ("" if is_near else f" {day.year}")


def _split_due(due: str, zone: tzinfo | None) -> tuple[date, str]:
    """Return the local day, and the time of an instant as ` 17:00`."""
    when = parse_due(due)
    if not isinstance(when, datetime):
        return when, ""
    local = when.astimezone(zone)
    return local.date(), f" {local:%H:%M}"


def format_full_due(due: str, zone: tzinfo | None, now: datetime, *, absolute: bool = False) -> str:
    """Return the date with its distance, if it is near: `Tue 1 Dec 09:00, in 4 days`, `Wed 2 Jan 2030`."""
    day, clock = _split_due(due, zone)
    if absolute:
        return f"{day}{clock}"
    days = (day - now.astimezone(zone).date()).days
    distance = f"in {days} days" if days > 0 else f"{-days} days ago"
    distance = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days, distance)
    date_words = f"{day:%a} {format_day(day, days)}{clock}"
    return f"{date_words}, {distance}" if abs(days) < 60 else date_words


def format_due_iso(due: str, zone: tzinfo | None) -> str:
    """Return a due date for a pipe: a date, or a local time with its offset."""
    when = parse_due(due)
    return when.astimezone(zone).isoformat(timespec="minutes") if isinstance(when, datetime) else due


def is_overdue(due: str, zone: tzinfo | None, now: datetime) -> bool:
    """Whether the time, or the day, has passed."""
    when = parse_due(due)
    return when < now if isinstance(when, datetime) else when < now.astimezone(zone).date()


def is_due_today(due: str, zone: tzinfo | None, now: datetime) -> bool:
    """Whether the local day is today."""
    return _split_due(due, zone)[0] == now.astimezone(zone).date()


def format_instant(when: datetime) -> str:
    """Return the instant as JSON has it, in UTC: every machine format has the same dates."""
    return when.astimezone(UTC).isoformat().replace("+00:00", "Z")


def format_task(task: Task, zone: tzinfo | None, now: datetime, *, absolute: bool = False) -> str:
    """Return `#12 Pay rent (due Tue 1 Dec, in 4 days, p1, #home @phone)`."""
    fields = format_fields(task, zone, now, format_date=format_full_due, absolute=absolute)
    return escape(f"#{task.number} {task.title}" + (f" ({fields})" if fields else ""))


def format_fields(
    task: Task,
    zone: tzinfo | None,
    now: datetime,
    format_date: Callable[..., str] = format_due,
    *,
    absolute: bool = False,
) -> str:
    """Return the fields that are set: `due tomorrow, p1, #home, @phone`."""
    format_date = partial(format_date, absolute=absolute)
    parts = [
        f"due {format_date(task.due, zone, now)}" if task.due else "",
        f"p{task.priority}" if task.priority else "",
        f"#{task.project}" if task.project else "",
        " ".join(f"@{tag}" for tag in task.tags),
        *_rare_fields(task, zone, now, format_date, absolute=absolute),
    ]
    return ", ".join(part for part in parts if part)


def _rare_fields(
    task: Task, zone: tzinfo | None, now: datetime, format_date: Callable[..., str], *, absolute: bool
) -> list[str]:
    """Return the fields that few tasks have: `every month`, `deferred to mon`, `after #3 #4`, `subtask of #1`."""
    is_deferred = task.defer and not is_overdue(task.defer, zone, now)
    return [
        describe_repeat(task.repeat, zone) if task.repeat else "",
        f"deferred to {format_date(task.defer, zone, now)}" if task.defer and is_deferred else "",
        f"scheduled {format_date(task.scheduled, zone, now)}" if task.scheduled else "",
        _describe_reminders(task, zone, now, format_date) if task.remind else "",
        f"for {task.assigned_to}" if task.assigned_to else "",
        f"subtask of #{task.parent}" if task.parent else "",
        f"after {' '.join(f'#{number}' for number in task.after)}" if task.after else "",
        f"started {format_age(task.started_at, now, zone, absolute=absolute)}" if task.started_at else "",
        f"worked {format_duration(task.tracked)}" if task.tracked else "",
    ]


def _describe_reminders(task: Task, zone: tzinfo | None, now: datetime, format_date: Callable[..., str]) -> str:
    from todo_cli.cli.render.reminders import describe_reminders

    return f"reminds {describe_reminders(task.remind, lambda due: format_date(due, zone, now))}"


def describe_repeat(repeat: Repeat, zone: tzinfo | None) -> str:
    """Return `every 2 weeks on mon`; `every day at 09:00 EST` if the zone of its times is not the user's."""
    from todo_cli.parsing.recurrence_format import describe_recurrence as in_words

    is_home = repeat.zone == str(zone)
    return in_words(repeat.rule, repeat.from_done, zone=None if is_home else repeat.zone)


def format_duration(seconds: int) -> str:
    """Return `45s`, `12m`, `3h 05m`."""
    if seconds < 60:
        return f"{seconds}s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m"


def write_changed(
    past: str,
    result: Changed,
    zone: tzinfo | None,
    now: datetime,
    unchanged: Set[int] = frozenset(),
    *,
    absolute: bool = False,
) -> None:
    """Print a line per task.

    It begins with `past`, with "Next" for a new occurrence, "Took back" for one that is gone, or "Unchanged".
    """
    series = {(task.repeat.series, task.repeat.occurrence) for task in result.tasks if task.repeat}
    for task in result.tasks:
        word = "Unchanged" if task.number in unchanged else past
        if past == CompleteTasks.past and task.repeat and task.status == "open":
            word = "Next" if (task.repeat.series, task.repeat.occurrence - 1) in series else word
        if past == ReopenTasks.past and task.status == "deleted":
            word = "Took back"
        write_wrapped(f"{word} {format_task(task, zone, now, absolute=absolute)}")
    if not result.new:
        note("(already done with this key; nothing was changed again)")


def format_age(when: datetime, now: datetime, zone: tzinfo | None = None, *, absolute: bool = False) -> str:
    """Return `just now`, `5m ago`, `3h ago`, `2d ago`, then the date in the zone, or else in that of `now`."""
    zone = zone or now.tzinfo
    if absolute:
        return f"{when.astimezone(zone):%Y-%m-%d %H:%M}"
    seconds = (now - when).total_seconds()
    if seconds < 60:
        return "just now"
    for size, unit in ((60, "m"), (3600, "h"), (86400, "d")):
        if seconds < size * {"m": 60, "h": 24, "d": 7}[unit]:
            return f"{int(seconds // size)}{unit} ago"
    local = when.astimezone(zone).date()
    return format_day(local, (local - now.astimezone(zone).date()).days)
