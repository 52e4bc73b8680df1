"""Files and functions stay small enough to be read at once."""

from __future__ import annotations

from tests.support.source_tree import modules

MAX_FILE_LINES = 260
MAX_FUNCTION_LINES = 50


def test_files_have_at_most_260_lines() -> None:
    assert [module.name for module in modules() if len(module.text.splitlines()) > MAX_FILE_LINES] == []


def test_functions_have_at_most_50_lines() -> None:
    wrong = [
        f"{module.name}: {function.name}"
        for module in modules()
        for function in module.functions
        if (function.end_lineno or 0) - function.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert wrong == []
