"""The commands, from `command_names.txt`. It imports nothing of ours: completing a name must be quick.

A file of `cli/commands` is a command when it names its panel of `todo --help`: `PANEL = "Tasks"`. The first line of its
docstring is the command's summary. `python -m tests.docs.generate` writes both into `command_names.txt`, and all that a
shell completes into `command_words.txt`. A file that is not in there yet is read, not imported, so that only the
command that runs is loaded.
"""

from __future__ import annotations

import os

GLOBAL_FLAGS = {
    "--no-color": 0,
    "--no-pager": 0,
    "--debug": 0,
    "--profile": 1,
    "--jq": 1,
    "--template": 1,
    "--fence": 1,
    "--json-fields": 1,
}
"""flag -> number of values that follow it"""

PANELS = ("Tasks", "Chat", "History", "Account", "Operate")
"""The panels of `todo --help`, in their order."""

_PACKAGE = os.path.dirname(__file__)
_DIRECTORY = os.path.join(_PACKAGE, "cli", "commands")
_MAX_FILE_BYTES = 1_048_576
_MODULE = "todo_cli.cli.commands."


def read_command_words() -> str:
    """Return `command_words.txt`: a block for each command and each subcommand, which is completed from it.

    The first line of a block has the command's words and its summary. Behind a tab follow its arguments, each with its
    kind and `...` if it takes several words, and its options, each with its kind, `!` for a flag, and its help.
    """
    return _read(os.path.join(_PACKAGE, "command_words.txt"))


def _read_commands() -> dict[str, tuple[str, str, str]]:
    """Return name -> (module, panel, summary), ordered by panel and name.

    The first line of `command_names.txt` names the files that the others were made of.
    """
    head, *lines = _read(os.path.join(_PACKAGE, "command_names.txt")).splitlines()
    files, known = os.listdir(_DIRECTORY), set(head.split(" "))
    commands = {}
    for line in lines:
        name, panel, summary = line.split("\t")
        commands[name] = (_MODULE + name, panel, summary)
    new = [file for file in files if file not in known and file.endswith(".py")]
    if not new and known.issubset(files):
        return commands
    commands = {name: command for name, command in commands.items() if f"{name}.py" in files}
    return order_commands(commands | find_commands(new))


def order_commands(commands: dict[str, tuple[str, str, str]]) -> dict[str, tuple[str, str, str]]:
    """Return commands ordered by panel and name."""
    ordered = {name: commands[name] for name in sorted(commands)}
    return {name: command for panel in PANELS for name, command in ordered.items() if command[1] == panel}


def find_commands(files: list[str]) -> dict[str, tuple[str, str, str]]:
    """Return the commands among files of `cli/commands`, in no order."""
    commands = {}
    for file in files:
        source = _read(os.path.join(_DIRECTORY, file))
        panel = source.partition('\nPANEL = "')[2].partition('"')[0]
        if panel:
            name = file.removesuffix(".py")
            summary = source.removeprefix('"""').partition("\n")[0].removesuffix('"""')
            commands[name] = (_MODULE + name, panel, summary)
    return commands


def _read(path: str) -> str:
    # the system's own calls cost a third of what `open` does
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, _MAX_FILE_BYTES).decode(errors="replace")
    finally:
        os.close(file)


COMMANDS: dict[str, tuple[str, str, str]] = _read_commands()
"""name -> (module, panel, summary)"""
