"""Tasks as one iCalendar object. A line that was kept is written as it was, while it still means the task's field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import IO, TextIO

from todo_cli.formats.icalendar_components import TASK, ZONE, Component
from todo_cli.formats.icalendar_dates import (
    Zones,
    find_zone_name,
    format_date,
    format_utc,
    zone_name,
)
from todo_cli.formats.icalendar_lines import escape_text, fold_lines, parse_line
from todo_cli.formats.icalendar_reader import IMPLIED, OUR_PROJECT, PREDECESSORS, Surroundings, read_todo
from todo_cli.formats.moments import first_moment
from todo_cli.formats.records import ExportedTask, ImportedTask, WriteLoss, WriteOptions
from todo_cli.parsing.rrule import parse_rrule

PRODUCT = "-//todo-cli//todo//EN"
MAX_BODY_CHARS_IN_MEMORY = 4 * 1024 * 1024
PRIORITIES = {1: 1, 2: 5, 3: 9}
STATUSES = {"open": "NEEDS-ACTION", "done": "COMPLETED", "deleted": "CANCELLED"}
FIELD_OF_PROPERTY = {
    "SUMMARY": "title",
    "DESCRIPTION": "note",
    "DTSTART": "scheduled",
    "DUE": "due",
    "DURATION": "due",
    "PRIORITY": "priority",
    "CATEGORIES": "tags",
    "STATUS": "status",
    "COMPLETED": "completed_at",
    "CREATED": "created_at",
    "RRULE": "every",
}
_OCCURRENCE = re.compile(r";\d{8}(T\d{6}Z)?$")


def write_tasks(tasks: Iterable[ExportedTask], file: TextIO, options: WriteOptions) -> Iterator[WriteLoss]:
    """Write one calendar. The tasks wait in a temporary file, since the calendar's own properties stand before them.

    With tasks of a single project the calendar has its name; else each task has its own in a property of ours.
    """
    projects: list[str | None] = []
    zones: dict[str, list[str]] = {}
    with SpooledTemporaryFile(MAX_BODY_CHARS_IN_MEMORY, "w+", encoding="utf-8", newline="") as body:
        for task in tasks:
            if len(projects) < 2 and task.project not in projects:
                projects.append(task.project)
            lines = _format_todo(task, options)
            zones |= _define_zones(lines, task, zones)
            body.write(fold_lines(lines))
            yield from _find_losses(task)
        has_one_project = len(projects) == 1
        file.write(fold_lines(_format_head(projects[0] if has_one_project else None, zones)))
        _copy(body, file, without_projects=has_one_project)
        file.write(fold_lines(["END:VCALENDAR"]))


def _format_head(project: str | None, zones: dict[str, list[str]]) -> list[str]:
    names = [f"X-WR-CALNAME:{escape_text(project)}", f"NAME:{escape_text(project)}"] if project else []
    definitions = [line for lines in zones.values() for line in lines]
    return ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", *names, *definitions]


def _copy(body: IO[str], file: TextIO, *, without_projects: bool) -> None:
    body.seek(0)
    is_left_out = False
    for line in body:
        is_continued = line.startswith(" ")
        is_left_out = is_left_out if is_continued else without_projects and line.startswith(OUR_PROJECT)
        if not is_left_out:
            file.write(line)


def _define_zones(lines: list[str], task: ExportedTask, known: dict[str, list[str]]) -> dict[str, list[str]]:
    """Return the definitions of those zones that the lines name and that are not known yet."""
    names = {name for line in lines if (name := find_zone_name(line)) and name not in known}
    own = {zone_name(definition): definition for definition in _kept_zones(task)} if names else {}
    return {name: own.get(name) or _generate_zone(name) for name in sorted(names)}


def _generate_zone(name: str) -> list[str]:
    from icalendar import Timezone

    try:
        text = str(Timezone.from_tzid(name).to_ical(), "utf-8")
    except ValueError:  # a zone that nobody knows stays undefined, as it was in its source
        return []
    return text.replace("\r\n ", "").split("\r\n")[:-1]


def _kept_zones(task: ExportedTask) -> list[list[str]]:
    definitions: list[list[str]] = []
    for line in _kept_texts(task, "timezone"):
        if line.upper() == f"BEGIN:{ZONE}":
            definitions.append([])
        if definitions:
            definitions[-1].append(line)
    return definitions


def _kept_texts(task: ExportedTask, name: str) -> list[str]:
    texts = task.kept.get(name)
    lines = texts if isinstance(texts, list) else []
    return [line for line in lines if isinstance(line, str) and not re.search("[\r\n]", line)]


def _format_todo(task: ExportedTask, options: WriteOptions) -> list[str]:
    fresh = _format_fields(task, options)
    kept = _choose_kept(task, fresh, Zones(options.zone, _kept_zones(task)))
    names = set(_names(kept))
    lines = [line for name, line in fresh.items() if name not in names and not (name == "DUE" and "DURATION" in names)]
    if "RRULE" in {*names, *fresh} and "DTSTART" not in {*names, *fresh} and task.due:
        lines.append(format_date("DTSTART", task.due, f";{IMPLIED}=TRUE"))
    lines += [f"COMMENT:{escape_text(comment.text)}" for comment in task.comments]
    return [f"BEGIN:{TASK}", *lines, *_format_relations(task, kept), *kept, f"END:{TASK}"]


def _format_fields(task: ExportedTask, options: WriteOptions) -> dict[str, str]:
    """Return the lines of the task's own fields by the names of their properties."""
    dates = {"DTSTART": task.scheduled, "DUE": task.due}
    modified = task.deleted_at if task.status == "deleted" else None if task.kept else task.updated_at
    instants = {
        "DTSTAMP": task.updated_at,
        "CREATED": task.created_at,
        "LAST-MODIFIED": modified,
        "COMPLETED": task.completed_at if task.status == "done" else None,
    }
    is_started = task.status == "open" and task.started_at
    values = {
        "SUMMARY": escape_text(task.title),
        "DESCRIPTION": escape_text(task.note or ""),
        "STATUS": "IN-PROCESS" if is_started else STATUSES[task.status],
        "PRIORITY": str(PRIORITIES[task.priority]) if task.priority else "",
        "CATEGORIES": ",".join(escape_text(tag) for tag in task.tags),
        "RRULE": task.every.rule if task.every and task.status == "open" else "",  # the open one makes the next
        OUR_PROJECT: escape_text(task.project or ""),
    }
    return {
        "UID": f"UID:{escape_text(_uid(task.identity))}",
        **{name: f"{name}:{format_utc(first_moment(at, options.zone))}" for name, at in instants.items() if at},
        **{name: format_date(name, value) for name, value in dates.items() if value},
        **{name: f"{name}:{value}" for name, value in values.items() if value},
    }


def _uid(identity: str) -> str:
    """Return the UID of a task, which a changed occurrence shares with its series."""
    return _OCCURRENCE.sub("", identity)


def _choose_kept(task: ExportedTask, fresh: dict[str, str], zones: Zones) -> list[str]:
    """Return the kept lines without those that mean something else than the task's fields now."""
    kept = _kept_texts(task, "lines")
    names = set(_names(kept))
    lines = [line for name, line in fresh.items() if name not in names and not (name == "DUE" and "DURATION" in names)]
    meant = read_todo(Component(TASK, 0, "", [*lines, *kept], []), Surroundings(zones))
    outdated = {name for name, field in FIELD_OF_PROPERTY.items() if meant is None or not _is_same(task, meant, field)}
    if task.status != "done":
        outdated.add("COMPLETED")
    if task.status == "deleted" and task.deleted_at and (meant is None or meant.deleted_at != task.deleted_at):
        outdated.add("LAST-MODIFIED")
    return [line for line, name in zip(kept, _names(kept), strict=True) if not _is_outdated(line, name, task, outdated)]


def _is_outdated(line: str, name: str, task: ExportedTask, outdated: set[str]) -> bool:
    entry = parse_line(line) if name in ("PERCENT-COMPLETE", "RELATED-TO") else None
    if entry and name == "PERCENT-COMPLETE":
        return (entry.value.strip() == "100") != (task.status == "done")
    if entry and entry.parameters.get("RELTYPE", "").upper() in PREDECESSORS:
        return entry.text.strip() not in {_uid(blocker.identity) for blocker in task.after}
    return name in outdated


def _is_same(task: ExportedTask, meant: ImportedTask, field: str) -> bool:
    if field == "tags":
        return sorted(task.tags) == sorted(meant.tags)
    if field == "every" and task.status != "open":
        return True  # a rule that was kept of a task that was done before
    if field == "every" and task.every and meant.every:
        return parse_rrule(task.every.rule) == parse_rrule(meant.every.rule)
    return bool(getattr(task, field) == getattr(meant, field))


def _names(lines: Iterable[str]) -> list[str]:
    """Return the name of each line's property, empty for a line inside of another component."""
    names, depth = [], 0
    for line in lines:
        name = re.split("[:;]", line, maxsplit=1)[0].upper()
        depth += name == "BEGIN"
        names.append("" if depth else name)
        depth -= name == "END"
    return names


def _format_relations(task: ExportedTask, kept: list[str]) -> list[str]:
    """Return the parent and the blockers, also those that led to no task, but not those of the kept lines."""
    entries = [entry for line in kept if (entry := parse_line(line)) and entry.name == "RELATED-TO"]
    written = {(entry.text.strip(), entry.parameters.get("RELTYPE", "PARENT").upper()) for entry in entries}
    predecessors = {uid for uid, kind in written if kind in PREDECESSORS}
    parent = task.parent.identity if task.parent else task.left_out.get("parent")
    after = [*(blocker.identity for blocker in task.after), *task.left_out.get("after", ())]
    return [
        *([f"RELATED-TO:{escape_text(_uid(parent))}"] if parent and (_uid(parent), "PARENT") not in written else []),
        *(f"RELATED-TO;RELTYPE=DEPENDS-ON:{escape_text(uid)}" for uid in map(_uid, after) if uid not in predecessors),
    ]


def _find_losses(task: ExportedTask) -> Iterator[WriteLoss]:
    losses = {
        "defer": task.defer,
        "started_at": task.started_at,
        "tracked": task.tracked,
        "assigned_to": task.assigned_to,
        "every.from_done": task.status == "open" and task.every and task.every.from_done,
        "comments.at": any(comment.at for comment in task.comments),
        "comments.by": any(comment.by for comment in task.comments),
    }
    for word, is_lost in losses.items():
        if is_lost:
            yield WriteLoss(number=task.number, word=word)
