"""The tables `command_names.txt` and `command_words.txt`, made of the commands' declarations, for the shell.

The kind of a word follows from its metavar, from the name of its parameter and from the group that it belongs to.
`cli/completion/kinds.py` has the words of each kind.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer.main import get_command

from tests.support.source_tree import PACKAGE
from todo_cli.cli.commands.edit import FIELDS
from todo_cli.cli.completion.kinds import FILE, FLAG, NOTHING
from todo_cli.cli.group import app, load_command
from todo_cli.command_table import find_commands, order_commands
from todo_cli.contract.filters import SORTS
from todo_cli.contract.spaces import ROLES
from todo_cli.contract.tokens import SCOPES

COMMAND_NAMES = PACKAGE / "command_names.txt"
COMMAND_WORDS = PACKAGE / "command_words.txt"
SUGGESTED_STATUS = {"reopen": "done", "restore": "deleted"}
"""Commands for tasks of another status than open."""
TASK_PARAMETERS = {"task", "tasks", "parent", "after", "not_after", "before", "discovered_from"}
KINDS_BY_METAVAR = {
    "1-3": "=1|2|3",
    "CHANNEL": "channel",
    "DIR": FILE,
    "FIELD": f"={'|'.join(FIELDS)}",
    "FILE": FILE,
    "FILE...": FILE,
    "KEYS": f",{'|'.join(SORTS)}",
    "MEMBER": "member",
    "MESSAGE": NOTHING,
    "PATH": FILE,
    "PLAN": "plan",
    "PROJECT": "project",
    "ROLE": f"={'|'.join(ROLES)}",
    "SERVER": NOTHING,
    "TITLE": NOTHING,
    "TOKEN": "token",
    "WHEN": "date",
}
KINDS_BY_NAME = {
    "assign": "member",
    "project": "project",
    "tag": "tag",
    "untag": "tag",
    "view": "view",
    "proposal": "proposal",
}
GROUPS_OF_NAMES = ("view", "token", "session", "space", "channel", "user")
"""Groups whose NAME is that of a thing that exists, unless the subcommand makes it."""
MAKING = ("create", "add", "rename")


def format_command_names() -> str:
    """Return the text of `command_names.txt`."""
    files = sorted(path.name for path in (PACKAGE / "cli" / "commands").glob("*.py"))
    lines = [f"{name}\t{panel}\t{summary}" for name, (_, panel, summary) in _find_commands().items()]
    return "\n".join([" ".join(files), *lines]) + "\n"


def format_command_words() -> str:
    """Return the text of `command_words.txt`."""
    lines = [*_format_block(get_command(app), ("todo",), "")]
    for name, (_, _, summary) in _find_commands().items():
        lines += _format_tree(load_command(name), (name,), summary)
    return "\n".join(lines) + "\n"


def _find_commands() -> dict[str, tuple[str, str, str]]:
    files = [path.name for path in (PACKAGE / "cli" / "commands").glob("*.py")]
    return order_commands(find_commands(files))


def _format_tree(command: Any, words: tuple[str, ...], summary: str) -> Iterator[str]:
    yield from _format_block(command, words, summary)
    for name, subcommand in (getattr(command, "commands", None) or {}).items():
        yield from _format_tree(subcommand, (*words, name), _first_line(subcommand.help))


def _format_block(command: Any, words: tuple[str, ...], summary: str) -> Iterator[str]:
    yield f"{' '.join(words)}\t{summary}"
    callbacks = _find_callbacks(command)
    for param in command.params:
        if getattr(param, "hidden", False):
            continue
        if param.param_type_name == "argument":
            yield "\t" + "\t".join(("argument", find_kind(param, words, callbacks), "..." if param.nargs == -1 else ""))
        else:
            kind = FLAG if param.is_flag else find_kind(param, words, callbacks)
            yield "\t" + "\t".join((" ".join((*param.opts, *param.secondary_opts)), kind, _first_line(param.help)))
    yield "\t" + "\t".join(("--help -h", FLAG, "Show this message and exit."))


def find_kind(param: Any, words: tuple[str, ...], callbacks: dict[str, Callable[[str], Any]]) -> str:
    """Return the kind of the words of a parameter."""
    metavar = (param.metavar or "").strip("[]")
    if metavar.startswith("NAME"):
        metavar = "NAME"
    if choices := getattr(param.type, "choices", None):
        return f"={'|'.join(choices)}"
    if type(param.type).__name__ == "TyperPath":
        return FILE
    if param.name in callbacks:
        return _kind_of_callback(param.name, callbacks[param.name])
    if words == ("add",) and param.name == "title":
        return "title"
    if "FILTER" in metavar and param.name in ("tasks", "words", "only"):
        status = SUGGESTED_STATUS.get(words[0], "open")
        return f"tasks:{status}" if metavar.startswith("N") else "filter"
    if words[:1] == ("dup",) and param.name == "tasks":
        return "tasks:all"
    if param.name in TASK_PARAMETERS and metavar.startswith("N"):
        is_option = param.param_type_name == "option"
        return f"task:{'open' if is_option or param.nargs == -1 else 'all'}"
    if words[0] in ("chat", "ask") and (param.name in ("number", "conversation")):
        return "conversation"
    if words == ("attachment", words[-1]) and metavar == "NAME" and param.param_type_name == "argument":
        return "attachment"
    return _kind_of_name(param, words, metavar)


def _kind_of_name(param: Any, words: tuple[str, ...], metavar: str) -> str:
    group = words[-2] if len(words) > 1 else ""
    if metavar == "NAME" and param.name == "name" and param.param_type_name == "argument":
        return group if group in GROUPS_OF_NAMES and words[-1] not in MAKING else NOTHING
    if param.name in KINDS_BY_NAME and metavar in ("NAME", "ID", "MEMBER"):
        return KINDS_BY_NAME[param.name]
    if param.name == "scopes":
        return f",{'|'.join(SCOPES)}"
    if re.fullmatch(r"[a-z]+(\|[a-z]+)+", metavar):
        return f"={metavar}"
    return KINDS_BY_METAVAR.get(metavar, NOTHING)


def _find_callbacks(command: Any) -> dict[str, Callable[[str], Any]]:
    """Return parameter -> the function that its declaration completes it by."""
    function = command.callback and inspect.unwrap(command.callback)
    hints = get_type_hints(function, include_extras=True) if function else {}
    declared = {name: get_args(hint)[-1] for name, hint in hints.items() if get_origin(hint) is Annotated}
    return {name: info.autocompletion for name, info in declared.items() if getattr(info, "autocompletion", None)}


def _kind_of_callback(name: str, complete: Callable[[str], Any]) -> str:
    """Return the constant words of a function, separated by commas where it completes a list; else a name for it."""
    if name == "profile":
        return "profile"
    words = complete("")
    is_list = bool(words) and complete(f"{words[0]},") != []
    return f"{',' if is_list else '='}{'|'.join(words)}"


def _first_line(text: str | None) -> str:
    return " ".join((text or "").partition("\n")[0].split())


def write_command_words() -> None:
    """Write both tables."""
    COMMAND_NAMES.write_text(format_command_names())
    COMMAND_WORDS.write_text(format_command_words())
