"""The import graph of todo_cli has no cycle, function-level imports included."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from tests.support.source_tree import Module, modules


def is_type_checking(node: ast.AST) -> bool:
    """Return whether a node is an `if TYPE_CHECKING` block, which never runs."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def running_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Yield all nodes below one, those for type checkers aside."""
    for child in ast.iter_child_nodes(node):
        if not is_type_checking(child):
            yield child
            yield from running_nodes(child)


def imported_modules(module: Module, names: set[str]) -> set[str]:
    """Return which modules of todo_cli a module imports."""
    found = set()
    for node in running_nodes(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} & names or {node.module}
    return (found & names) - {module.dotted}


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """Return the nodes of one cycle of the graph, none where it has no cycle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def test_import_graph_has_no_cycle() -> None:
    names = {module.dotted for module in modules()}
    assert find_cycle({module.dotted: imported_modules(module, names) for module in modules()}) == []
