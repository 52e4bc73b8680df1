"""The commands, from `command_words.txt`. It imports nothing of ours: completing a name must be quick.

A file of `cli/commands` is a command when it names its panel of `todo --help`: `PANEL = "Tasks"`. The first line of its
docstring is the command's summary. `python -m tests.docs.generate` writes both into `command_words.txt`, with all that
a shell completes. A file that is not in there yet is read, not imported, so that only the command that runs is loaded.
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
    """Return `command_words.txt`: its head, and a block for each command and each subcommand.

    The head names the files of `cli/commands` that it was made from. The first line of a block has the command's words,
    its panel and its summary. Behind a tab follow its arguments, each with its kind and `...` if it takes several
    words, and its options, each with its kind, `!` for a flag, and its help.
    """
    return _read(os.path.join(_PACKAGE, "command_words.txt"))


def read_commands(table: str) -> dict[str, tuple[str, str, str]]:
    """Return name -> (module, panel, summary), ordered by panel and name."""
    head, _, blocks = table.partition("\n")
    files, known = os.listdir(_DIRECTORY), set(head.split())
    commands = {}
    for line in blocks.split("\n"):
        if line and line[0] != "\t":
            name, panel, summary = line.split("\t")
            if panel and f"{name}.py" in files:
                commands[name] = (_MODULE + name, panel, summary)
    if new := [file for file in files if file not in known and file.endswith(".py")]:
        commands |= find_commands(new)
        commands = {name: commands[name] for name in sorted(commands)}
        commands = {name: command for panel in PANELS for name, command in commands.items() if command[1] == panel}
    return commands


def find_commands(files: list[str]) -> dict[str, tuple[str, str, str]]:
    """Return the commands among files of `cli/commands`, as `read_commands` does, in no order."""
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


COMMANDS: dict[str, tuple[str, str, str]] = read_commands(read_command_words())
"""name -> (module, panel, summary)"""
