"""Complete the name of a command for the shell. It imports nothing but the table of commands: Tab must be quick.

`cli/shell_completion.py` completes what follows the command, `cli/repl/completer.py` the prompt of `todo chat`.
"""

from __future__ import annotations

import os
import sys

from todo_cli.command_table import COMMANDS


def complete_command_name() -> bool:
    """Print the commands that begin as typed; return False where something else is to be completed.

    The shell gives the words in COMP_WORDS.
    """
    words = os.environ.get("COMP_WORDS", "").split("\n")
    if os.environ["_TODO_COMPLETE"] != "names" or len(words) > 2 or words[-1].startswith("-"):
        return False
    prefix = words[1] if len(words) > 1 else ""
    sys.stdout.write("".join(f"{name}\t{line}\n" for name, (_, _, line) in COMMANDS.items() if name.startswith(prefix)))
    return True
