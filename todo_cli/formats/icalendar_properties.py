"""The properties of one component, of which those that a task does not say completely are kept."""

from __future__ import annotations

from todo_cli.formats.icalendar_components import Component
from todo_cli.formats.icalendar_lines import Property, parse_line


class TodoProperties:
    """The properties of a component, with those that the task says completely."""

    def __init__(self, component: Component) -> None:
        self.lines = component.lines
        self.nested: list[str] = []
        self.lost = list(dict.fromkeys(name.lower() for name in component.cut))
        self._said: set[int] = set()
        self._by_name: dict[str, list[tuple[int, Property]]] = {}
        depth = 0
        for place, line in enumerate(self.lines):
            entry = parse_line(line)
            if entry and entry.name == "BEGIN":
                depth += 1
                self.nested.append(entry.value.strip().upper())
            if entry and not depth:
                self._by_name.setdefault(entry.name, []).append((place, entry))
            if entry and entry.name == "END":
                depth -= 1

    def find(self, name: str) -> Property | None:
        """Return the first property of this name."""
        return self._by_name[name][0][1] if name in self._by_name else None

    def find_all(self, name: str) -> list[Property]:
        """Return all properties of this name."""
        return [entry for _, entry in self._by_name.get(name, [])]

    def drop(self, entry: Property) -> None:
        """Do not keep the line of this property."""
        self._said.update(place for place, each in self._by_name[entry.name] if each is entry)

    def lose(self, word: str) -> None:
        """Name something that has no effect here, once."""
        if word not in self.lost:
            self.lost.append(word)

    def kept_lines(self) -> list[str]:
        """Return the lines that are kept, in their order."""
        return [line for place, line in enumerate(self.lines) if place not in self._said]
