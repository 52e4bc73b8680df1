"""One VTODO (RFC 5545 section 3.6.2) as a task. Whatever the fields of the task do not say stays in `kept.lines`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from todo_cli.formats.icalendar_components import Component
from todo_cli.formats.icalendar_dates import ReadDate, Zones, add_duration, find_zone_name, read_date
from todo_cli.formats.icalendar_lines import Property, split_texts, unescape_text
from todo_cli.formats.icalendar_properties import TodoProperties
from todo_cli.formats.names import clean_line, clean_tags
from todo_cli.formats.records import ImportedComment, ImportedRepeat, ImportedSeries, ImportedTask
from todo_cli.formats.rules import normalize_rule

OUR_PROJECT = "X-TODO-PROJECT"
"""The project of a task in a file with several projects, which only we write."""
IMPLIED = "X-TODO-IMPLIED"
"""A parameter of a DTSTART that stands there only because a task that recurs must have one."""
STATUSES = {"NEEDS-ACTION": "open", "IN-PROCESS": "open", "COMPLETED": "done", "CANCELLED": "deleted"}
EXACT_PRIORITIES = {0: None, 1: 1, 5: 2, 9: 3}
LOST_EXCEPTIONS = ("EXDATE", "RDATE", "RECURRENCE-ID")
PREDECESSORS = ("DEPENDS-ON", "FINISHTOSTART")


class Surroundings(NamedTuple):
    """What a task takes from its file: zones, the project, and the parents that other tasks name."""

    zones: Zones
    project: str | None = None
    parents: Mapping[str, str] = {}


def read_todo(component: Component, around: Surroundings) -> ImportedTask | None:
    """Return the task of a component, None for one without a title."""
    found = TodoProperties(component)
    source_id, uid = _read_identity(found, around.zones, component.number)
    title, note = _read_texts(found)
    if not title:
        return None
    scheduled = _read_start(found, around.zones)
    due = _read_due(found, scheduled, around.zones)
    status = _read_status(found)
    completed_at = _read_date(found, "COMPLETED", around.zones) if status == "done" else None
    modified = found.find("LAST-MODIFIED")
    deleted_at = read_date(modified, around.zones).value if modified and status == "deleted" else None
    every = _read_rule(found, status)
    parent, after = _read_relations(found, uid, around.parents)
    for name in LOST_EXCEPTIONS:
        if found.find(name):
            found.lose(name.lower())
    for name in found.nested:
        found.lose(name.lower())
    return ImportedTask(
        source_id=source_id,
        title=title,
        note=note,
        status=status,  # type: ignore[arg-type]  # the values of STATUSES
        due=due,
        scheduled=scheduled,
        priority=_read_priority(found),
        project=_read_project(found) or around.project,
        tags=_read_tags(found),
        parent=parent,
        after=after,
        every=every,
        series=ImportedSeries(id=source_id, occurrence=1) if every else None,
        created_at=_read_date(found, "CREATED", around.zones),
        completed_at=completed_at,
        deleted_at=deleted_at,
        comments=_read_comments(found),
        kept=_keep_lines(found, around.zones),
        lost=tuple(found.lost),
    )


def _keep_lines(found: TodoProperties, zones: Zones) -> dict[str, list[str]]:
    lines = found.kept_lines()
    definitions = zones.find_definitions(lines)
    return ({"lines": lines} if lines else {}) | ({"timezone": definitions} if definitions else {})


def _read_identity(found: TodoProperties, zones: Zones, number: int) -> tuple[str, str]:
    """Return the id of the task and its UID, which a changed occurrence shares with its series."""
    entry, recurrence = found.find("UID"), found.find("RECURRENCE-ID")
    uid = entry.text.strip() if entry else ""
    if entry:
        found.drop(entry)
    instant = read_date(recurrence, zones).value if recurrence else None
    compact = f";{instant.replace('-', '').replace(':', '')}" if instant else ""
    return f"{uid}{compact}" if uid else f"line:{number}", uid


def _read_texts(found: TodoProperties) -> tuple[str, str | None]:
    """Return the title and the note."""
    summary, description = found.find("SUMMARY"), found.find("DESCRIPTION")
    note = description.text.replace("\r", "") if description else ""
    if description and not description.parameters:
        found.drop(description)
    title = clean_line(summary.text) if summary else ""
    if summary and not summary.parameters and title == summary.text.strip():
        found.drop(summary)
    if not title and note.strip():
        found.lose("summary")
        title = note.strip().splitlines()[0].strip()
    return title, note if note.strip() else None


def _read_date(found: TodoProperties, name: str, zones: Zones) -> str | None:
    entry = found.find(name)
    if not entry:
        return None
    read = read_date(entry, zones)
    _report_date(found, entry, read)
    return read.value


def _report_date(found: TodoProperties, entry: Property, read: ReadDate) -> None:
    if read.value is None:
        found.lose(entry.name.lower())
    elif read.is_exact:
        found.drop(entry)
    if read.has_unknown_zone and find_zone_name(entry.line):
        found.lose("tzid")


def _read_start(found: TodoProperties, zones: Zones) -> str | None:
    entry = found.find("DTSTART")
    if entry and IMPLIED in entry.parameters:
        found.drop(entry)
        return None
    return _read_date(found, "DTSTART", zones)


def _read_due(found: TodoProperties, scheduled: str | None, zones: Zones) -> str | None:
    duration = found.find("DURATION")
    if found.find("DUE") or not duration:
        return _read_date(found, "DUE", zones)
    due = add_duration(scheduled, duration.value, zones) if scheduled else None
    if due is None:
        found.lose("duration")
    return due


def _read_status(found: TodoProperties) -> str:
    entry, percent = found.find("STATUS"), found.find("PERCENT-COMPLETE")
    done_share = percent.value.strip() if percent else None
    if entry:
        word = entry.value.strip().upper()
        status = STATUSES.get(word, "open")
        if word not in STATUSES:
            found.lose("status")
        elif word != "IN-PROCESS":
            found.drop(entry)
    else:
        status = "done" if found.find("COMPLETED") or done_share == "100" else "open"
    if done_share is not None and done_share != ("100" if status == "done" else "0"):
        found.lose("percent-complete")
    return status


def _read_priority(found: TodoProperties) -> int | None:
    entry = found.find("PRIORITY")
    if not entry:
        return None
    text = entry.value.strip()
    if not text.isdecimal() or not 0 <= int(text[:3]) <= 9:
        found.lose("priority")
        return None
    number = int(text)
    if number in EXACT_PRIORITIES:
        found.drop(entry)
        return EXACT_PRIORITIES[number]
    return 1 if number < 5 else 3


def _read_tags(found: TodoProperties) -> tuple[str, ...]:
    entries = found.find_all("CATEGORIES")
    names = [name.strip() for entry in entries for name in split_texts(entry.value)]
    tags = clean_tags(names)
    if list(tags) == names:
        for entry in entries:
            found.drop(entry)
    return tags


def _read_project(found: TodoProperties) -> str | None:
    entry = found.find(OUR_PROJECT)
    if not entry:
        return None
    found.drop(entry)
    return entry.text


def _read_comments(found: TodoProperties) -> tuple[ImportedComment, ...]:
    entries = found.find_all("COMMENT")
    for entry in entries:
        found.drop(entry)
    return tuple(ImportedComment(text=entry.text) for entry in entries if entry.text.strip())


def _read_rule(found: TodoProperties, status: str) -> ImportedRepeat | None:
    """Return the rule of an open task. A rule by the hour, and one of ours that is none, has no effect."""
    entries = found.find_all("RRULE")
    if not entries or status != "open":
        return None
    rule = _arrange_rule(entries[0].value)
    if rule is None:
        found.lose("rrule")
        return None
    found.drop(entries[0])
    if entries[1:]:
        found.lose("rrule")
    return ImportedRepeat(rule=rule)


def _arrange_rule(text: str) -> str | None:
    """Return a rule in our form, with its parts in the source's order; None for one finer than a day, or no task's."""
    rule = normalize_rule(text)
    if rule is None or rule.startswith("FREQ=HOURLY"):
        return None
    source = f";{text.upper().replace(' ', '')}"
    return ";".join(sorted(rule.split(";"), key=lambda part: source.find(f";{part.partition('=')[0]}=")))


def _read_relations(found: TodoProperties, uid: str, parents: Mapping[str, str]) -> tuple[str | None, tuple[str, ...]]:
    parent: str | None = None
    after: dict[str, None] = {}
    for entry in found.find_all("RELATED-TO"):
        kind, other = entry.parameters.get("RELTYPE", "PARENT").upper(), unescape_text(entry.value).strip()
        if kind == "PARENT" and parent is None:
            parent = other
        elif kind in PREDECESSORS:
            after[other] = None
            if "GAP" in entry.parameters:
                found.lose("gap")
        elif not (kind == "CHILD" and parents.get(other) == uid):
            found.lose("related-to")
            continue
        if kind in ("PARENT", "CHILD", "DEPENDS-ON") and len(entry.parameters) <= ("RELTYPE" in entry.parameters):
            found.drop(entry)
    return parent or parents.get(uid), tuple(after)
