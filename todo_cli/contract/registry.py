"""All Requests, read from the modules of this package: a Request is registered by being defined in one of them."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType
from typing import Any

import todo_cli.contract
from todo_cli.contract.base import Request
from todo_cli.contract.batch import Batch


def requests_in(module: ModuleType) -> Iterator[type[Request[Any]]]:
    """Yield the Requests that a module defines. A class without a verb of its own is only a base of others."""
    for value in vars(module).values():
        is_request = isinstance(value, type) and issubclass(value, Request)
        if is_request and value.__module__ == module.__name__ and "verb" in vars(value):
            yield value


def _modules() -> Iterator[ModuleType]:
    for module in iter_modules(todo_cli.contract.__path__):
        if module.name != "registry":
            yield import_module(f"todo_cli.contract.{module.name}")


REQUESTS: tuple[type[Request[Any]], ...] = tuple(request for module in _modules() for request in requests_in(module))
BY_VERB: dict[str, type[Request[Any]]] = {request.verb: request for request in REQUESTS}
BATCH_READS: dict[str, type[Request[Any]]] = {
    request.verb: request for request in REQUESTS if request.route and not request.write and request is not Batch
}
"""Verb -> Request: what a `Batch` may run."""


def label_of(verb: str) -> str:
    """Return the command that people type for a verb; the verb itself when a newer release stored it."""
    return BY_VERB[verb].label or verb if verb in BY_VERB else verb


def past_of(verb: str) -> str:
    """Return the word that is printed before the result of a verb: "Added"."""
    return BY_VERB[verb].past or label_of(verb) if verb in BY_VERB else verb
