"""The syntax tree of a filter, and constructors that keep every meaning in exactly one form."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class And:
    """Match tasks that match every part. Without parts, match every task."""

    parts: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Or:
    """Match tasks that match at least one part."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Match tasks that do not match the part."""

    part: Node


@dataclass(frozen=True, slots=True)
class Numbers:
    """Match tasks by number: inclusive ranges, sorted and disjoint."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class FieldTerm:
    """Compare a field of `FIELDS` with a value as the user typed it. `sign` is one of : < <= > >=.

    `at` is the value's position in the filter, counted from 0; it does not take part in equality.
    """

    field: str
    sign: str
    value: str
    at: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class TextTerm:
    """Search the full text for a word, or for a phrase if the text contains a space."""

    text: str
    at: int = dataclasses.field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class ViewTerm:
    """Match the tasks of a saved view."""

    name: str
    at: int = dataclasses.field(default=0, compare=False)


Node = And | Or | Not | Numbers | FieldTerm | TextTerm | ViewTerm


def make_and(parts: Iterable[Node]) -> Node:
    """Return the conjunction of the parts, without nested `And`s. A single part is returned as it is."""
    flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, And) else (part,)))
    return flat[0] if len(flat) == 1 else And(flat)


def make_or(parts: Iterable[Node]) -> Node:
    """Return the disjunction of the parts, without nested `Or`s and with all numbers in one term."""
    flat = _merge_numbers([inner for part in parts for inner in (part.parts if isinstance(part, Or) else (part,))])
    return flat[0] if len(flat) == 1 else Or(tuple(flat))


def make_not(part: Node) -> Node:
    """Return the negation of the part. A double negation cancels out."""
    return part.part if isinstance(part, Not) else Not(part)


def make_numbers(ranges: Iterable[tuple[int, int]]) -> Numbers:
    """Return the ranges in order. Ranges that overlap or touch become one range."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return Numbers(tuple(merged))


def join_adjacent(parts: Iterable[Node]) -> Node:
    """Join terms that only a space separates: numbers add up (`3 7-9` names four tasks), other terms narrow down."""
    return make_and(_merge_numbers(list(parts)))


def _merge_numbers(parts: list[Node]) -> list[Node]:
    """Put all numbers into one term at the place of the first."""
    numbers = [part for part in parts if isinstance(part, Numbers)]
    if len(numbers) < 2:
        return parts
    merged, first = make_numbers(pair for part in numbers for pair in part.ranges), numbers[0]
    return [merged if part is first else part for part in parts if part is first or not isinstance(part, Numbers)]


def walk_terms(node: Node) -> Iterator[Numbers | FieldTerm | TextTerm | ViewTerm]:
    """Yield every term of the tree from left to right."""
    match node:
        case And(parts) | Or(parts):
            for part in parts:
                yield from walk_terms(part)
        case Not(part):
            yield from walk_terms(part)
        case _:
            yield node


def measure_depth(node: Node) -> int:
    """Return the number of levels of a tree."""
    match node:
        case And(parts) | Or(parts):
            return 1 + max(map(measure_depth, parts), default=0)
        case Not(part):
            return 1 + measure_depth(part)
        case _:
            return 1
