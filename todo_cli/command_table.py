"""The commands, read from the files of `cli/commands`. It imports nothing of ours: completing a name must be quick.

A file is a command when it names its panel of `todo --help`: `PANEL = "Tasks"`. The first line of its docstring is the
command's summary. The files are read, not imported, so that only the command that runs is ever loaded.
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

_DIRECTORY = os.path.join(os.path.dirname(__file__), "cli", "commands")
_MAX_FILE_BYTES = 65_536


def _read_commands() -> dict[str, tuple[str, str, str]]:
    """Return name -> (module, panel, summary), ordered by panel and name."""
    commands = {}
    for file in sorted(os.listdir(_DIRECTORY)):
        name, extension = os.path.splitext(file)
        source = _read(os.path.join(_DIRECTORY, file)) if extension == ".py" else ""
        panel = source.partition('\nPANEL = "')[2].partition('"')[0]
        if panel:
            summary = source.removeprefix('"""').partition("\n")[0].removesuffix('"""')
            commands[name] = (f"todo_cli.cli.commands.{name}", panel, summary)
    return {name: command for panel in PANELS for name, command in commands.items() if command[1] == panel}


def _read(path: str) -> str:
    # the system's own calls cost a third of what `open` does, and there are fifty files
    file = os.open(path, os.O_RDONLY)
    try:
        return os.read(file, _MAX_FILE_BYTES).decode(errors="replace")
    finally:
        os.close(file)


COMMANDS: dict[str, tuple[str, str, str]] = _read_commands()
"""name -> (module, panel, summary)"""
