"""List the modules of `core`, in the order in which `dispatch` searches them for a handler."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules

import todo_cli.core

FIRST_PACKAGES = ("tasks", "filters", "history", "batches")  # what most commands need; any other package follows


def core_modules(noun: str = "") -> Iterator[str]:
    """Yield the dotted name of every module of `core`, those of a package named `noun` first.

    A package is imported when its first module is due.
    """
    found = {module.name: module.ispkg for module in iter_modules(todo_cli.core.__path__)}
    packages = sorted(name for name, is_package in found.items() if is_package)
    order = dict.fromkeys((*(name for name in packages if name == noun), *FIRST_PACKAGES, *packages))
    for package in order:
        path = import_module(f"todo_cli.core.{package}").__path__
        yield from (f"todo_cli.core.{package}.{module.name}" for module in iter_modules(path))
    yield from (f"todo_cli.core.{name}" for name, is_package in found.items() if not is_package)
