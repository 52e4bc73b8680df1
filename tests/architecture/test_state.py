"""A server remembers nothing of a user between two requests: state of modules, classes and long-lived objects is listed.

A constant table may be a dict. State is what the program changes: a container that a function changes, a `global`, a
cached function, and a container in an object of the server that lives as long as the process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.support.source_tree import Module, modules

SERVER_SIDE = {"server", "core", "agent", "llm", "tools", "db", "stores", "jobs", "contract", "parsing", "errors"}
MUTATORS = {
    *("append", "extend", "insert", "remove", "pop", "popitem", "clear", "add", "discard", "update", "setdefault"),
    *("move_to_end", "appendleft", "popleft", "subtract", "sort", "reverse"),
}
CONTAINERS = {"dict", "list", "set", "defaultdict", "Counter", "OrderedDict", "deque", "WeakKeyDictionary"}

ALLOWED_MODULE_STATE = {
    "todo_cli/core/dispatch.py HANDLERS": "filled as the modules of the rules are imported; the same in every process",
    "todo_cli/core/tasks/change.py WRITES": "filled as the modules of the rules are imported; the same in every process",
    "todo_cli/db/token_limits.py _known": "limits of tokens, which never change; the database enforces them; bounded",
}
ALLOWED_CACHES = {
    "todo_cli/contract/codec.py": "decoders of types",
    "todo_cli/core/history/diff.py": "the text of a statement for a filter; bounded",
    "todo_cli/core/history/follow.py": "the text of a statement for a filter; bounded",
    "todo_cli/core/history/load_changes.py": "the text of a statement",
    "todo_cli/core/history/log_sql.py": "the text of a statement for a filter; bounded",
    "todo_cli/core/tasks/list.py": "the text of a statement for a filter; bounded",
    "todo_cli/core/tasks/load_sql.py": "the text of a statement for what it loads; bounded",
    "todo_cli/core/transfers/export_tasks.py": "the text of a statement for a filter; bounded",
    "todo_cli/llm/transport.py": "the machine's certificates",
    "todo_cli/parsing/date_words.py": "a pure function of a text; bounded",
    "todo_cli/parsing/dates.py": "the names of time zones of the machine",
    "todo_cli/parsing/filter_parser.py": "a pure function of a text; bounded",
    "todo_cli/parsing/misspellings.py": "a pure function of two words; bounded",
    "todo_cli/parsing/stems.py": "a pure function of a word; bounded",
    "todo_cli/parsing/task_names.py": "words that the package contains",
    "todo_cli/server/asgi.py": "the application of this process",
    "todo_cli/server/lambda_handler.py": "the application of this process",
    "todo_cli/server/openapi.py": "the document of this version",
    "todo_cli/tools/schemas.py": "the tools of this version",
}
ALLOWED_OBJECT_STATE = {
    "todo_cli/server/app.py self.methods": "the routes of this version",
    "todo_cli/server/app.py self._endpoints": "the routes of this version",
    "todo_cli/server/attachment_routes.py self.answers": "the routes of this version",
    "todo_cli/server/bodies.py self._bytes": "bytes of bodies that are arriving",
    "todo_cli/server/endpoint.py self._lists": "the fields of a Request",
    "todo_cli/server/password_routes.py self.answers": "the routes of this version",
    "todo_cli/server/public_requests.py self._message": "the body of one request",
    "todo_cli/server/refusal_counts.py self._refusals": "a 429 of half a second; another server asks the database",
    "todo_cli/server/sign_in.py self._valid": "tokens that were valid; every transaction signs in all the same",
    "todo_cli/server/stream_counts.py self._streams": "streams that are open",
    "todo_cli/server/change_watcher.py self._watched": "spaces that clients of this process follow",
    "todo_cli/server/change_watcher.py self.subscriptions": "streams that are open",
    "todo_cli/server/turn_feed.py self._batches": "events of a turn that is followed, as read from the database",
    "todo_cli/server/turn_feed.py self._feeds": "turns that clients of this process follow",
    "todo_cli/server/turn_runner.py self._tasks": "turns that run in this process; another process continues them",
    "todo_cli/server/turn_runner.py self._title_tasks": "titles that are being written; the first words stay without",
}


def server_modules() -> Iterator[Module]:
    """Yield the modules of which a server consists."""
    return (module for module in modules() if module.package in SERVER_SIDE)


def find_changed_names(module: Module) -> Iterator[str]:
    """Yield the names of modules and classes that a function of the module changes in place or rebinds."""
    own = {
        target.id
        for node in module.tree.body
        for target in getattr(node, "targets", [getattr(node, "target", None)])
        if isinstance(target, ast.Name)
    }
    imported = {
        alias.asname or alias.name
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("todo_cli")
        for alias in node.names
    }
    classes = {node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)} | {"cls"}
    for function in module.functions:
        names = (own | imported) - find_local_names(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Global):
                yield from node.names
            for changed in find_changed_expressions(node):
                if isinstance(changed, ast.Name) and changed.id in names:
                    yield changed.id
                if isinstance(changed, ast.Attribute) and ast.unparse(changed.value) in classes:
                    yield ast.unparse(changed)


def find_local_names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Return the parameters and the variables of a function."""
    arguments = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    stores = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return arguments | stores


def find_changed_expressions(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions whose value a statement changes in place."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MUTATORS:
        yield node.func.value
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    for target in targets if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete) else ():
        if isinstance(target, ast.Subscript):
            yield target.value
        if isinstance(target, ast.Attribute):
            yield target


def find_caches(module: Module) -> Iterator[str]:
    """Yield the functions whose results are cached for the life of the process."""
    for function in module.functions:
        if any(re.match(r"(functools\.)?(lru_)?cache\b", ast.unparse(node)) for node in function.decorator_list):
            yield function.name


def find_containers_of_objects(module: Module) -> Iterator[str]:
    """Yield the attributes that a constructor sets to a container which grows."""
    for function in module.functions:
        for node in ast.walk(function) if function.name == "__init__" else ():
            value = getattr(node, "value", None)
            if isinstance(node, ast.Assign | ast.AnnAssign) and any(map(is_container, find_values(value))):
                yield ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])


def find_values(value: ast.expr | None) -> list[ast.expr]:
    """Return an assigned value, or the values of an assigned tuple."""
    if value is None:
        return []
    return value.elts if isinstance(value, ast.Tuple) else [value]


def is_container(value: ast.expr) -> bool:
    """Return whether an expression makes a new container that can grow."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in CONTAINERS
    return isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp)


def test_no_function_of_the_server_changes_a_module_or_a_class() -> None:
    found = {f"{module.name} {name}" for module in server_modules() for name in find_changed_names(module)}
    assert found == set(ALLOWED_MODULE_STATE)


def test_cached_functions_of_the_server_are_listed_with_their_reason() -> None:
    found = {module.name for module in server_modules() if any(find_caches(module))}
    assert found == set(ALLOWED_CACHES)


def test_long_lived_objects_with_containers_are_listed_with_their_reason() -> None:
    found = {
        f"{module.name} {name}"
        for module in server_modules()
        if module.package == "server"
        for name in find_containers_of_objects(module)
    }
    assert found == set(ALLOWED_OBJECT_STATE)


def test_checker_finds_state() -> None:
    source = (
        "SEEN = {}\nclass C:\n    shared = []\n    def f(self):\n        SEEN['x'] = 1\n        C.shared.append(1)\n"
    )
    module = Module.__new__(Module)
    object.__setattr__(module, "path", None)
    module.__dict__["tree"] = ast.parse(source)
    assert set(find_changed_names(module)) == {"SEEN", "C.shared"}
