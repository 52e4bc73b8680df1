"""The checks of `todo doctor`: what each one returns, and how it is run."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from todo_cli.cli.session import Session
from todo_cli.errors import TodoError

FAULT = "FAULT"


class Remark(NamedTuple):
    """The result of a check of something that is optional and missing."""

    detail: str
    hint: str


class Finding(NamedTuple):
    """The result of one check: "ok", "note" or "FAULT". A fault names the checks that could not run without it."""

    name: str
    state: str
    detail: str
    hint: str = ""
    unchecked: tuple[str, ...] = ()


Check = Callable[[Session], str | Remark]


def run_check(name: str, check: Check, session: Session) -> Finding:
    """Run a check. An error is its fault, with what to do."""
    try:
        result = check(session)
    except TodoError as error:
        return Finding(name, FAULT, error.detail, error.hint if "doctor" not in error.hint else "is it running?")
    return Finding(name, "note", *result) if isinstance(result, Remark) else Finding(name, "ok", result)
