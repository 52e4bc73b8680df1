"""The rules for parents and blockers, without a database; cycles against a plain search of the whole graph."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.task_rows import make_loaded, make_row
from todo_cli.contract.limits import MAX_SUBTASK_DEPTH
from todo_cli.core.tasks.dependencies import raise_for_cycles, raise_for_references
from todo_cli.core.tasks.load import Loaded, Wanted
from todo_cli.core.tasks.load_sql import MAX_DEPENDENCIES
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.errors import Conflict, Invalid, NotFound

NUMBERS = st.integers(1, 8)
FOREST = st.tuples(*(st.none() | st.integers(1, number - 1) if number > 1 else st.none() for number in range(1, 9)))
"""The parents of the tasks 1 to 8: an earlier task or none, so without a cycle."""
LINKS = st.sets(st.tuples(NUMBERS, NUMBERS), max_size=12)


def reach(start: int, links: dict[int, set[int]]) -> set[int]:
    """Return all numbers that lie behind `start`."""
    reached: set[int] = set()
    pending = [*links.get(start, ())]
    while pending:
        number = pending.pop()
        if number not in reached:
            reached.add(number)
            pending += links.get(number, ())
    return reached


def is_refused(
    *rows: tuple[int, int | None, tuple[int, ...]], ancestors: object = (), dependencies: object = ()
) -> bool:
    before = [make_row(number) for number, _, _ in rows]
    loaded = make_loaded(*before, ancestors=ancestors, dependencies=dependencies)
    return has_cycle(loaded, [make_row(number, parent=parent, after=after) for number, parent, after in rows])


def has_cycle(loaded: Loaded, rows: list[TaskRow]) -> bool:
    try:
        raise_for_cycles(loaded, rows)
    except Invalid:
        return True
    return False


@given(parents=FOREST, number=NUMBERS, parent=NUMBERS)
def test_cycle_of_parents_is_found_like_by_a_search(parents: tuple[int | None, ...], number: int, parent: int) -> None:
    ancestors = list(enumerate(parents, start=1))
    changed = {child: {above} for child, above in ancestors if above} | {number: {parent}}
    assert is_refused((number, parent, ()), ancestors=ancestors) == (number in reach(number, changed))


@given(links=LINKS, number=NUMBERS, blockers=st.frozensets(NUMBERS, min_size=1, max_size=3))
def test_cycle_of_blockers_is_found_like_by_a_search(
    links: set[tuple[int, int]], number: int, blockers: frozenset[int]
) -> None:
    changed: dict[int, set[int]] = {}
    for waiting, blocker in links:
        changed.setdefault(waiting, set()).add(blocker)
    changed[number] = set(blockers)
    refused = is_refused((number, None, tuple(sorted(blockers))), dependencies=sorted(links))
    assert refused == (number in reach(number, changed))


def test_two_tasks_that_become_parents_of_each_other_in_one_change_are_refused() -> None:
    assert is_refused((1, 2, ()), (2, 1, ()))
    assert is_refused((1, None, (2,)), (2, None, (1,)))
    assert not is_refused((1, 2, ()), (2, None, ()))


@pytest.mark.parametrize(("depth", "refused"), [(MAX_SUBTASK_DEPTH, False), (MAX_SUBTASK_DEPTH + 1, True)])
def test_subtasks_have_a_greatest_depth(depth: int, refused: bool) -> None:
    above: list[tuple[int, int | None]] = [
        (number, number - 1 if number > 101 else None) for number in range(101, 101 + depth)
    ]
    assert is_refused((1, 100 + depth, ()), ancestors=above) == refused


def test_too_many_dependencies_are_refused() -> None:
    many = [(2, blocker) for blocker in range(3, 3 + MAX_DEPENDENCIES)]
    with pytest.raises(Invalid, match="too many tasks wait for each other around task #1"):
        raise_for_cycles(make_loaded(make_row(), dependencies=many), [make_row(after=(2,))])


def test_links_that_stay_are_not_checked() -> None:
    row = make_row(parent=1, after=(1,))
    assert has_cycle(make_loaded(make_row()), [row])
    assert not has_cycle(make_loaded(row), [row])


def test_references_to_unknown_and_trashed_tasks_are_refused() -> None:
    wanted = Wanted(parents=(7,), blockers=(8, 9))
    with pytest.raises(NotFound, match="tasks #8, #9 do not exist; nothing was added") as missing:
        raise_for_references(make_loaded(statuses=[(7, "open")]), wanted, "added")
    assert missing.value.extra["numbers"] == [8, 9]
    with pytest.raises(Conflict, match="task #8 is in the trash"):
        raise_for_references(make_loaded(statuses=[(7, "open"), (8, "deleted"), (9, "done")]), wanted)
    raise_for_references(make_loaded(statuses=[(7, "open"), (8, "open"), (9, "done")]), wanted)
