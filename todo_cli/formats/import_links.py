"""The links between the tasks of one file: which of them would close a circle, go too deep or be too many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from todo_cli.contract.imports import SourceReferences
from todo_cli.contract.limits import MAX_BLOCKERS_PER_TASK, MAX_SUBTASK_DEPTH

Edge = tuple[str, str]


class ResolvedLinks(Struct):
    """The links of one task that can be set, and those that are left out."""

    links: SourceReferences
    left_out: SourceReferences


class LinkGraph:
    """All links of a file, in its order. A link that closes a circle is left out: the first ones win."""

    def __init__(self) -> None:
        self._links: dict[str, SourceReferences] = {}

    def __len__(self) -> int:
        return len(self._links)

    def set(self, source_id: str, links: SourceReferences) -> None:
        """Take the links of a task; a later record of the same task replaces those of the earlier."""
        self._links.pop(source_id, None)
        if links != SourceReferences():
            self._links[source_id] = links

    def resolve(self) -> dict[str, ResolvedLinks]:
        """Return the links of each task that has some."""
        parents = {id: links.parent for id, links in self._links.items() if links.parent}
        blockers = [(id, after) for id, links in self._links.items() for after in links.after]
        circular = {*_find_circular(parents.items()), *_find_deep(parents)}
        blocking = set(_find_circular(blockers))
        resolved = {}
        for source_id, links in self._links.items():
            parent_is_out = (source_id, links.parent) in circular
            possible = [after for after in links.after if (source_id, after) not in blocking]
            after = tuple(possible[:MAX_BLOCKERS_PER_TASK])
            resolved[source_id] = ResolvedLinks(
                SourceReferences(parent=None if parent_is_out else links.parent, after=after),
                SourceReferences(
                    parent=links.parent if parent_is_out else None,
                    after=tuple(each for each in links.after if each not in after),
                ),
            )
        return resolved


def _find_circular(edges: Iterable[Edge]) -> Iterator[Edge]:
    """Yield the edges that close a circle, in the order of the file."""
    accepted: dict[str, list[str]] = {}
    for source, target in _find_suspects(edges):
        if source == target or _reaches(accepted, target, source):
            yield source, target
        else:
            accepted.setdefault(source, []).append(target)


def _find_suspects(edges: Iterable[Edge]) -> list[Edge]:
    """Return the edges that are left when ends without further edges are taken away again and again: the circles."""
    pending = list(edges)
    targets: dict[str, int] = {}  # how many edges leave a task
    sources: dict[str, list[str]] = {}
    for source, target in pending:
        targets[source] = targets.get(source, 0) + 1
        sources.setdefault(target, []).append(source)
    ends = [target for target in sources if target not in targets]
    while ends:
        for source in sources.get(ends.pop(), ()):
            targets[source] -= 1
            if not targets[source]:
                ends.append(source)
    return [(source, target) for source, target in pending if targets[source] and targets.get(target)]


def _reaches(edges: dict[str, list[str]], start: str, end: str) -> bool:
    visited, pending = {start}, [start]
    while pending:
        for target in edges.get(pending.pop(), ()):
            if target == end:
                return True
            if target not in visited:
                visited.add(target)
                pending.append(target)
    return False


def _find_deep(parents: dict[str, str]) -> Iterator[Edge]:
    """Yield the links to parents that are too deep already. A circle ends the count."""
    depths: dict[str, int] = {}
    for source_id in parents:
        chain, ancestor = {source_id: None}, parents[source_id]  # a dict keeps the order and finds an id at once
        while ancestor in parents and ancestor not in depths and ancestor not in chain:
            chain[ancestor] = None
            ancestor = parents[ancestor]
        depth = depths.get(ancestor, 0)
        for each in reversed(chain):
            depth += 1
            if depth > MAX_SUBTASK_DEPTH - 1:
                yield each, parents[each]
                depth = 0
            depths[each] = depth
