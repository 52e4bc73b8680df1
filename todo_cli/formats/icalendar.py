"""iCalendar (RFC 5545): the tasks of calendars, files `.ics`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from todo_cli.formats.icalendar_components import CALENDAR, TASK, ZONE, Component, FileFacts, read_components, scan_file
from todo_cli.formats.icalendar_dates import Zones
from todo_cli.formats.icalendar_lines import UnfoldedLines
from todo_cli.formats.icalendar_reader import Surroundings, read_todo
from todo_cli.formats.icalendar_writer import write_tasks
from todo_cli.formats.names import clean_line, name_file_project
from todo_cli.formats.records import (
    CERTAIN,
    IMPOSSIBLE,
    FileRecord,
    NotATask,
    ReadOptions,
    ReadTask,
)

__all__ = ["EXTENSIONS", "NAME", "looks_like", "read_tasks", "write_tasks"]

NAME = "icalendar"
EXTENSIONS = (".ics", ".ical", ".ifb", ".icalendar")

_BEGIN = re.compile(r"\s*BEGIN:(VCALENDAR|VTODO)\s*[\r\n]", re.IGNORECASE)


def looks_like(head: str, name: str) -> int:
    """Return how sure the text is iCalendar: it begins with the component of a calendar, or of one task."""
    return CERTAIN if _BEGIN.match(head) else IMPOSSIBLE


def read_tasks(file: BinaryIO, options: ReadOptions) -> Iterator[FileRecord]:
    """Yield the tasks of all calendars in the file."""
    facts = scan_file(file, options)
    zones = Zones(options.zone, facts.zones)
    lines = UnfoldedLines(file, options)
    calendar = 0
    for component in read_components(lines):
        if component.name == CALENDAR:
            calendar += 1
        elif component.name == TASK:
            project = clean_line(facts.names[calendar] or "") or _name_after_file(facts, options)
            yield _read_task(component, Surroundings(zones, project, facts.parents))
        elif component.name not in ("", ZONE):
            yield NotATask(place=component.find_text("UID") or component.place, reason=component.name)
    yield from lines.notices()


def _name_after_file(facts: FileFacts, options: ReadOptions) -> str | None:
    """Return the file's name as that of a project. A file of one task is an item of a calendar, named by its id."""
    return name_file_project(options.name) if facts.has_several_tasks else None


def _read_task(component: Component, around: Surroundings) -> ReadTask | NotATask:
    if component.is_too_large:
        return NotATask(place=component.place, reason="the component is too large", refused=True)
    task = read_todo(component, around)
    if task is None:
        return NotATask(place=component.place, reason="it has neither SUMMARY nor DESCRIPTION", refused=True)
    sequence = component.find_text("SEQUENCE") or ""
    version = int(sequence) if re.fullmatch("[0-9]{1,9}", sequence) else 0
    return ReadTask(task=task, place=component.place, version=(version, component.find_text("LAST-MODIFIED") or ""))
