"""Functions are called by verbs in the imperative, and a type's name is found once in todo_cli."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator

from tests.support.source_tree import Module, modules

PARTICIPLE = re.compile(
    r"[a-z]+ed|asked|begun|bound|broken|brought|built|chosen|come|counted|drawn|found|given|gone|heard|held|kept|known"
    r"|left|lost|made|meant|met|said|seen|sent|shown|spent|stood|taken|thrown|told|understood|won|written|wrought"
)
PRONOUN = re.compile(r"it|one|some|what|who|which|this|that|they|these|those")

VERBS_IN_ED = {"embed", "feed", "need", "proceed", "seed", "shed", "speed"}
"""Verbs in the imperative that only look like participles."""

ALLOWED: dict[str, str] = {
    "sorted": "the name of Python's own function",
    "embedded": "the name of a setting, `embedded`, in the configuration",
}
"""Participles that may be names of functions, each with the reason."""


def is_property(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function is read like an attribute, which is no action: `outcome.stopped`."""
    return any("property" in ast.unparse(decorator) for decorator in function.decorator_list)


def bare_participles(module: Module) -> Iterator[str]:
    """Yield the functions of a module that are called by a single participle or pronoun."""
    for function in module.functions:
        name = function.name.strip("_")
        is_bad = PARTICIPLE.fullmatch(name) or PRONOUN.fullmatch(name)
        if is_bad and name not in VERBS_IN_ED and name not in ALLOWED and not is_property(function):
            yield f"{module.name}: {function.name}"


def type_names(module: Module) -> Iterator[str]:
    """Yield the classes and type aliases of a module, without leading underscores."""
    for node in module.tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name.strip("_")
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id.strip("_")
            if re.fullmatch(r"[A-Z][a-z]\w*", name):
                yield name


def test_functions_are_not_called_by_a_bare_participle() -> None:
    found = {name for module in modules() for name in bare_participles(module)}
    assert found == set()


def test_type_names_are_unique() -> None:
    counts = Counter(name for module in modules() for name in type_names(module))
    assert {name for name, count in counts.items() if count > 1} == set()


def test_parameters_are_not_called_by_a_pronoun() -> None:
    found = {
        f"{module.name}: {function.name}({argument.arg})"
        for module in modules()
        for function in module.functions
        for argument in [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        if PRONOUN.fullmatch(argument.arg)
    }
    assert found == set()
