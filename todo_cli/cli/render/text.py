"""Answers for people and pipes, without rich: the lines that the quick commands print."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date, datetime, tzinfo

from todo_cli.cli.render.escape import escape
from todo_cli.contract.tasks import Changed, Repeat, Task


def write(line: str) -> None:
    """One line on stdout."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """One line on stderr: progress and warnings."""
    sys.stderr.write(line + "\n")


def wrap(line: str, indent: str = "") -> str:
    """The line, where it is longer than the terminal is wide, as several that break at words."""
    import shutil

    width = shutil.get_terminal_size().columns - 1
    if len(line) <= width or width < 20:
        return line
    import textwrap

    lead = line[: len(line) - len(line.lstrip())]
    return textwrap.fill(line.lstrip(), width, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False)


def load_zone(name: str | None) -> tzinfo | None:
    """The zone to show times in; None is this machine's."""
    if name is None:
        return None
    from todo_cli.parsing.dates import zone_of

    return zone_of(name)


def zone_for(tasks: Iterable[Task], name: str | None) -> tzinfo | None:
    """As `local_zone`; the zone database is opened only where one of the tasks is due."""
    return load_zone(name) if any(task.due or task.defer or task.scheduled for task in tasks) else None


def parse_due(due: str) -> date | datetime:
    """A task's due as Python has it."""
    return datetime.fromisoformat(due) if "T" in due else date.fromisoformat(due)


def format_due(due: str, zone: tzinfo | None, now: datetime) -> str:
    """`today 17:00`, `tomorrow`, `fri`, `24 Dec`, `24 Dec 2027`: what is near in words."""
    when = parse_due(due)
    clock = ""
    if isinstance(when, datetime):
        local = when.astimezone(zone)
        when, clock = local.date(), f" {local:%H:%M}"
    days = (when - now.astimezone(zone).date()).days
    if days in (-1, 0, 1):
        return ("yesterday", "today", "tomorrow")[days + 1] + clock
    if 1 < days < 7:
        return f"{when:%a}".lower() + clock
    near = -60 < days < 300  # together less than a year: a day and a month mean one date
    return f"{when.day} {when:%b}" + ("" if near else f" {when.year}") + clock


def format_due_iso(due: str, zone: tzinfo | None) -> str:
    """A due for a pipe: a date, or local time with its offset."""
    when = parse_due(due)
    return when.astimezone(zone).isoformat(timespec="minutes") if isinstance(when, datetime) else due


def is_overdue(due: str, zone: tzinfo | None, now: datetime) -> bool:
    """Its instant has passed, or its day."""
    when = parse_due(due)
    return when < now if isinstance(when, datetime) else when < now.astimezone(zone).date()


def write_tsv(tasks: Iterable[Task], zone: tzinfo | None) -> None:
    """A task a line, tab-separated: number, status, priority, due, project, tags, title."""
    for task in tasks:
        cells = [
            str(task.number), task.status, f"p{task.priority}" if task.priority else "",
            format_due_iso(task.due, zone) if task.due else "", task.project or "", ",".join(task.tags), task.title,
        ]  # fmt: skip
        write("\t".join(escape(cell) for cell in cells))


def format_task(task: Task, zone: tzinfo | None, now: datetime) -> str:
    """`#12 Pay rent (due tomorrow, p1, #home @phone)`: what was set is seen at once."""
    set_too = format_fields(task, zone, now)
    return escape(f"#{task.number} {task.title}" + (f" ({set_too})" if set_too else ""))


def format_fields(task: Task, zone: tzinfo | None, now: datetime) -> str:
    """What is set of a task beside its title: `due tomorrow, p1, #home, @phone`."""
    parts = [
        f"due {format_due(task.due, zone, now)}" if task.due else "",
        f"p{task.priority}" if task.priority else "",
        f"#{task.project}" if task.project else "",
        " ".join(f"@{tag}" for tag in task.tags),
        *rare_fields(task, zone, now),
    ]
    return ", ".join(part for part in parts if part)


def rare_fields(task: Task, zone: tzinfo | None, now: datetime) -> list[str]:
    """What few tasks have, in words: `every month`, `deferred to mon`, `after #3 #4`, `part of #1`."""
    later = task.defer and not is_overdue(task.defer, zone, now)
    return [
        describe_repeat(task.repeat) if task.repeat else "",
        f"deferred to {format_due(task.defer, zone, now)}" if task.defer and later else "",
        f"scheduled {format_due(task.scheduled, zone, now)}" if task.scheduled else "",
        f"part of #{task.parent}" if task.parent else "",
        f"after {' '.join(f'#{number}' for number in task.after)}" if task.after else "",
        f"started {format_age(task.started_at, now)}" if task.started_at else "",
        f"worked {format_duration(task.tracked)}" if task.tracked else "",
    ]


def describe_repeat(repeat: Repeat) -> str:
    """`every 2 weeks on mon`."""
    from todo_cli.parsing.recurrence import describe_recurrence as in_words

    return in_words(repeat.rule, repeat.from_done)


def format_duration(seconds: int) -> str:
    """`45s`, `12m`, `3h 05m`."""
    if seconds < 60:
        return f"{seconds}s"
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}h {minutes:02}m" if hours else f"{minutes}m"


def write_changed(word: str, result: Changed, zone: tzinfo | None, now: datetime) -> None:
    """What a write did, a task a line; a repeated key is said on stderr."""
    series = {(task.repeat.series, task.repeat.occurrence) for task in result.tasks if task.repeat}
    for task in result.tasks:
        made = task.repeat and task.status == "open" and (task.repeat.series, task.repeat.occurrence - 1) in series
        write(f"{'Next' if made and word == 'Done' else word} {format_task(task, zone, now)}")
    if not result.new:
        note("(done before, with the same key)")


def format_age(when: datetime, now: datetime) -> str:
    """`just now`, `5m ago`, `3h ago`, `2d ago`, then the date."""
    seconds = (now - when).total_seconds()
    if seconds < 60:
        return "just now"
    for size, unit in ((60, "m"), (3600, "h"), (86400, "d")):
        if seconds < size * {"m": 60, "h": 24, "d": 7}[unit]:
            return f"{int(seconds // size)}{unit} ago"
    return f"{when.astimezone():%d %b %Y}"
