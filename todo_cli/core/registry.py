"""Imports every module of `core`, so that `handle` answers every Request: `@handler` registers as it is imported."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import todo_cli.core
from todo_cli.core.dispatch import HANDLERS, handle

__all__ = ["HANDLERS", "handle"]

for _module in walk_packages(todo_cli.core.__path__, "todo_cli.core."):
    if _module.name != __name__:
        import_module(_module.name)
