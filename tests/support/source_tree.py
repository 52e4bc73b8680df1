"""The source files of the project as syntax trees, for the tests of its architecture."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "todo_cli"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One Python file of todo_cli."""

    path: Path

    @property
    def name(self) -> str:
        """Return the path from the root: `todo_cli/core/journal.py`."""
        return str(self.path.relative_to(ROOT))

    @property
    def dotted(self) -> str:
        """Return the name that an import gives it: `todo_cli.core.journal`."""
        return ".".join(self.path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    @property
    def package(self) -> str:
        """Return the top-level package or module that it belongs to: `core`."""
        return self.path.relative_to(PACKAGE).parts[0].removesuffix(".py")

    @cached_property
    def text(self) -> str:
        """Return the source."""
        return self.path.read_text()

    @cached_property
    def tree(self) -> ast.Module:
        """Return the syntax tree."""
        return ast.parse(self.text)

    @property
    def functions(self) -> Iterator[Function]:
        """Yield every function, methods and inner functions included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    @property
    def imports(self) -> Iterator[str]:
        """Yield the dotted name of every import, function-level imports included: `todo_cli.errors.TodoError`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def modules() -> tuple[Module, ...]:
    """Return every module of todo_cli, the migrations aside: they are frozen."""
    return tuple(
        Module(path)
        for path in sorted(PACKAGE.rglob("*.py"))
        if "versions" not in path.parts and path != PACKAGE / "__init__.py"
    )
