"""The formatter decides; SQL fits into 100 columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.support.source_tree import PACKAGE, ROOT, Module, modules

MAX_SQL_COLUMNS = 100

SQL = re.compile(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|FROM|JOIN|WHERE|WITH|RETURNING|ORDER BY|GRANT|CREATE)\b")


def strings(module: Module) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Yield the string literals of a module, docstrings aside: those stand as statements."""
    statements = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(module.tree):
        is_string = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        if is_string and id(node) not in statements:
            yield node  # type: ignore[misc]


def wide_sql_lines(module: Module) -> Iterator[int]:
    """Yield the numbers of lines over 100 columns that belong to an SQL string."""
    lines = module.text.splitlines()
    for node in strings(module):
        numbers = range(node.lineno, (node.end_lineno or node.lineno) + 1)
        if len(numbers) > 1 and SQL.search("\n".join(lines[number - 1] for number in numbers)):
            yield from (number for number in numbers if len(lines[number - 1]) > MAX_SQL_COLUMNS)


def test_sql_in_python_fits_into_100_columns() -> None:
    found = {module.name for module in modules() if any(wide_sql_lines(module))}
    assert found == set()


def test_sql_files_fit_into_100_columns() -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in PACKAGE.rglob("*.sql")
        if "versions" not in path.parts  # migrations are generated and frozen
        if any(len(line) > MAX_SQL_COLUMNS for line in path.read_text().splitlines())
    }
    assert found == set()


@pytest.mark.parametrize("directory", ["todo_cli", "tests", "benchmarks"])
def test_formatter_is_skipped_only_for_a_reason(directory: str) -> None:
    found = {
        str(path.relative_to(ROOT))
        for path in (ROOT / directory).rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"# fmt: (skip|off)\s*$", line)
    }
    assert found == set()
