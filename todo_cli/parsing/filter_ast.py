"""What a filter means, as a tree, and the few rules that keep each meaning in one form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as kept


@dataclass(frozen=True, slots=True)
class And:
    """All of its parts; without any: every task."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of its parts."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """What the part is not."""

    part: Node


@dataclass(frozen=True, slots=True)
class Numbers:
    """Tasks by number: ranges with both ends, in order, apart from each other."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """A field of FIELDS, a sign (: < <= > >=) and a value as the user wrote it; `at`: where, from 0."""

    field: str
    sign: str
    value: str
    at: int = kept(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TextTerm:
    """Full text; a phrase where there is a space in it."""

    text: str
    at: int = kept(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ViewTerm:
    """A saved view by its name."""

    name: str
    at: int = kept(default=0, compare=False)


Node = And | Or | Not | Numbers | FieldTerm | TextTerm | ViewTerm


def make_and(parts: Iterable[Node]) -> Node:
    """All of them, in one level; one alone is itself."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def make_or(parts: Iterable[Node]) -> Node:
    """Any of them, in one level, their numbers together; one alone is itself."""
    flat = _one_ids([inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))])
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def make_not(part: Node) -> Node:
    """Its opposite; twice is nothing."""
    return part.part if isinstance(part, Not) else Not(part)


def make_numbers(ranges: Iterable[tuple[int, int]]) -> Numbers:
    """Ranges in order, those that touch as one."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return Numbers(tuple(merged))


def join_adjacent(parts: Iterable[Node]) -> Node:
    """Terms with only a space between: numbers name tasks together (`3 7-9` is four), all else narrows down."""
    return make_and(_one_ids(list(parts)))


def _one_ids(parts: list[Node]) -> list[Node]:
    """The numbers of all of them, where the first ones stood."""
    found = [part for part in parts if isinstance(part, Numbers)]
    if len(found) < 2:
        return parts
    together, first = make_numbers(pair for part in found for pair in part.ranges), found[0]
    return [together if part is first else part for part in parts if part is first or not isinstance(part, Numbers)]


def walk_terms(node: Node) -> Iterator[Numbers | FieldTerm | TextTerm | ViewTerm]:
    """Every term in it, from left to right."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from walk_terms(part)
        case Not(part):
            yield from walk_terms(part)
        case _:
            yield node
