"""Every module and everything public in it has a docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.support.source_tree import Function, Module, modules


def public_nodes(module: Module) -> Iterator[tuple[str, ast.Module | ast.ClassDef | Function]]:
    """Yield the module, its public functions and classes, and the public methods of these."""
    yield module.name, module.tree
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            yield f"{module.name}: {node.name}", node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, Function) and not method.name.startswith("_"):
                    yield f"{module.name}: {node.name}.{method.name}", method


def test_public_names_have_docstrings() -> None:
    wrong = [name for module in modules() for name, node in public_nodes(module) if not ast.get_docstring(node)]
    assert wrong == []
