"""The components of an iCalendar file, one at a time, and what the whole file says about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO, NamedTuple

from todo_cli.formats.icalendar_lines import UnfoldedLine, UnfoldedLines, parse_line
from todo_cli.formats.records import BrokenFile, ReadOptions

MAX_COMPONENT_CHARS = 8 * 1024 * 1024
CALENDAR = "VCALENDAR"
TASK = "VTODO"
ZONE = "VTIMEZONE"


class Component(NamedTuple):
    """A component inside of VCALENDAR: its lines with those of the components in it, without its own BEGIN and END.

    A property of the calendar itself is a component without a name, of one line. `number` is the line in the file,
    `place` is such as `VTODO 2`, `cut` are the names of properties that were too long.
    """

    name: str
    number: int
    place: str
    lines: list[str]
    cut: list[str]

    @property
    def is_too_large(self) -> bool:
        """Whether the component was longer than `MAX_COMPONENT_CHARS`, and its lines are not all here."""
        return sum(map(len, self.lines)) > MAX_COMPONENT_CHARS

    def find_text(self, name: str) -> str | None:
        """Return the text of the first property of this name, outside of components in this one."""
        depth = 0
        for line in self.lines:
            start = line[: len(name)].upper()
            if start == name and not depth and (entry := parse_line(line)) and entry.name == name:
                return entry.text
            depth += line[:6].upper() == "BEGIN:"
            depth -= line[:4].upper() == "END:"
        return None


class _ComponentReader:
    """Reads lines into components, and checks that each BEGIN has its END."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._open: list[str] = []
        self._calendars = 0
        self._component = Component("", 0, "", [], [])
        self._chars = 0

    def read(self, line: UnfoldedLine) -> Component | None:
        """Take the next line, and return the component that it completes."""
        keyword, _, rest = line.text.partition(":")
        keyword, name = keyword.strip().upper(), rest.strip().upper()
        if keyword not in ("BEGIN", "END") or line.is_cut:
            return self._read_property(line)
        if name == CALENDAR:
            return self._read_calendar(keyword, line)
        if keyword == "BEGIN":
            self._begin(name, line)
            return None
        return self._end(name, line)

    def finish(self) -> None:
        """Raise `BrokenFile` at the end of a file in which a component is open."""
        if self._open:
            raise BrokenFile(self._component.place, f"END:{self._open[-1]} is missing")
        if self._calendars:
            raise BrokenFile("the end of the file", f"END:{CALENDAR} is missing")

    def _read_property(self, line: UnfoldedLine) -> Component | None:
        if not self._open:
            return Component("", line.number, "", [] if line.is_cut else [line.text], [])
        self._add(line)
        return None

    def _read_calendar(self, keyword: str, line: UnfoldedLine) -> Component | None:
        if self._open:
            raise BrokenFile(self._component.place, f"END:{self._open[-1]} is missing")
        self._calendars += 1 if keyword == "BEGIN" else -1
        return Component(CALENDAR, line.number, "", [], []) if keyword == "BEGIN" else None

    def _begin(self, name: str, line: UnfoldedLine) -> None:
        if self._open:
            self._add(line)
        else:
            self._counts[name] += 1
            self._component = Component(name, line.number, f"{name} {self._counts[name]}", [], [])
            self._chars = 0
        self._open.append(name)

    def _end(self, name: str, line: UnfoldedLine) -> Component | None:
        if not self._open or self._open[-1] != name:
            place = self._component.place if self._open else f"line {line.number}"
            missing = f"END:{self._open[-1]}" if self._open else f"BEGIN:{name}"
            raise BrokenFile(place, f"{missing} is missing")
        self._open.pop()
        if not self._open:
            return self._component
        self._add(line)
        return None

    def _add(self, line: UnfoldedLine) -> None:
        if line.is_cut:
            self._component.cut.append(line.text)
        elif self._chars <= MAX_COMPONENT_CHARS:
            self._component.lines.append(line.text)
            self._chars += len(line.text)


def read_components(lines: UnfoldedLines) -> Iterator[Component]:
    """Yield the components in their order. Raise `BrokenFile` where the structure is broken or ends early."""
    reader = _ComponentReader()
    for line in lines:
        if component := reader.read(line):
            yield component
    reader.finish()


class FileFacts(NamedTuple):
    """What must be known about a file before its first task.

    names: of each calendar, in their order.
    zones: the lines of each VTIMEZONE, with BEGIN and END.
    parents: the UID of the parent by that of a child, for parents that name their children.
    """

    names: list[str | None]
    zones: list[list[str]]
    parents: dict[str, str]
    has_several_tasks: bool


def scan_file(file: BinaryIO, options: ReadOptions) -> FileFacts:
    """Read the whole file for its facts, as far as it can be read."""
    facts = FileFacts([None], [], {}, False)
    standard_names: list[str | None] = [None]
    tasks = 0
    with suppress(BrokenFile):
        for component in read_components(UnfoldedLines(file, options)):
            if component.name == CALENDAR:
                facts.names.append(None)
                standard_names.append(None)
            elif component.name == ZONE:
                facts.zones.append([f"BEGIN:{ZONE}", *component.lines, f"END:{ZONE}"])
            elif component.name == TASK:
                tasks += 1
                _add_children(component, facts.parents)
            elif not component.name:
                facts.names[-1] = facts.names[-1] or component.find_text("X-WR-CALNAME")
                standard_names[-1] = standard_names[-1] or component.find_text("NAME")
    names = [name or standard for name, standard in zip(facts.names, standard_names, strict=True)]
    parents = _keep_known(facts.parents, file, options)
    return FileFacts(names, facts.zones, parents, tasks > 1)


def _add_children(component: Component, parents: dict[str, str]) -> None:
    uid = component.find_text("UID")
    for line in component.lines:
        if line[:10].upper() != "RELATED-TO" or "CHILD" not in line.upper():
            continue
        entry = parse_line(line)
        if uid and entry and entry.parameters.get("RELTYPE", "").upper() == "CHILD":
            parents.setdefault(entry.text, uid)


def _keep_known(parents: dict[str, str], file: BinaryIO, options: ReadOptions) -> dict[str, str]:
    """Leave out children that are not in the file."""
    known: set[str] = set()
    if parents:
        with suppress(BrokenFile):
            for component in read_components(UnfoldedLines(file, options)):
                if component.name == TASK and (uid := component.find_text("UID")) in parents:
                    known.add(uid)
    return {child: parent for child, parent in parents.items() if child in known}
