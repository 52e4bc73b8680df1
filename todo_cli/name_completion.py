"""Complete the name of a command for the shell. It imports nothing but the table of commands: Tab must be quick.

`cli/completion` completes what follows the command, `cli/repl/completer.py` the prompt of `todo chat`.
"""

from __future__ import annotations

import os
import sys

from todo_cli.command_table import COMMANDS


def complete_command_name() -> bool:
    """Print the commands that begin as typed; return False where something else is to be completed.

    The script of a shell passes the words behind the program, that of bash the whole line (`cli/completion/shells.py`).
    """
    words = sys.argv[1:]
    if os.environ["_TODO_COMPLETE"] == "bash":
        words = words[0].split(" ")[1:] if words else []
    if len(words) != 1 or (words[0] and not words[0].isalnum()):
        return False
    prefix = words[0]
    sys.stdout.write("".join(f"{name}\t{line}\n" for name, (_, _, line) in COMMANDS.items() if name.startswith(prefix)))
    return True
