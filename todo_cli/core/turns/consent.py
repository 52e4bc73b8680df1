"""Decide whether a decided change is what the person asked for, or needs approval first."""

from __future__ import annotations

from todo_cli.contract.base import Asks
from todo_cli.contract.consent import Consent
from todo_cli.contract.registry import BY_VERB
from todo_cli.core.tasks.rows import TaskRow
from todo_cli.core.tasks.store import DecidedChange
from todo_cli.parsing.task_names import find_named


def needs_approval(change: DecidedChange, consent: Consent) -> bool:
    """Return True for a change of several tasks in a turn, or of a task that the person did not name.

    The decided rows count: subtasks and next occurrences are tasks too. A row that the change adds is an addition.
    """
    if BY_VERB[change.stamp.verb].asks is Asks.ALWAYS:
        return True
    touched = list_touched(change)
    if len(consent.touched.union(row.number for row in touched)) > 1:
        return bool(touched)
    return not all(is_named(row.number, row.title, consent) for row in touched)


def list_touched(change: DecidedChange) -> list[TaskRow]:
    """Return the tasks that a change alters, as they were."""
    after = {row.number: row for row in change.rows}
    return [row for row in change.before if after[row.number] != row]


def is_named(number: int, title: str, consent: Consent) -> bool:
    """Return True if the person named the task, and no other task better."""
    if number in consent.numbers:
        return True
    named = find_named(consent.words, title)
    others = [consent.titles[other] for other in consent.titles if other != number]
    return bool(named) and not any(named < find_named(consent.words, other) for other in others)
