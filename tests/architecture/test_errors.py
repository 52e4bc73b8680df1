"""Each kind of error has a code, a status and an exit code of its own."""

from __future__ import annotations

import re

from todo_cli import errors
from todo_cli.errors import ERRORS, TodoError, from_problem


def test_errors_are_all_in_the_table() -> None:
    assert {TodoError, *ERRORS.values()} == {
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, TodoError)
    }


def test_errors_have_exit_codes_of_their_own() -> None:
    exit_codes = [error.exit_code for error in ERRORS.values()]
    assert sorted(exit_codes) == sorted(set(exit_codes))


def test_errors_stand_in_the_docstring_with_status_and_exit_code() -> None:
    for error in ERRORS.values():
        line = rf"── {error.__name__} +{error.status} +exit {error.exit_code}\b"
        assert re.search(line, errors.__doc__ or ""), error.__name__


def test_problem_of_every_error_becomes_the_same_error_again() -> None:
    for error in ERRORS.values():
        original = error("it failed", hint="try again", number=7)
        copy = from_problem(original.as_problem())
        assert type(copy) is error
        assert (copy.detail, copy.hint, copy.extra) == ("it failed", "try again", {"number": 7})
