"""The entry point: complete a command's name from the command table, or run a command."""

from __future__ import annotations

import gc
import os
import sys

from todo_cli.command_table import COMMANDS


def main() -> None:
    """Run the `todo` command."""
    if "_TODO_COMPLETE" in os.environ:
        _complete()
        return
    # Imports leave no garbage. Collecting dozens of times while importing takes 3 % of a command's time.
    gc.set_threshold(50_000)
    _replace_closed_streams()
    from todo_cli.cli.run import run

    sys.exit(run(sys.argv[1:]))


def _replace_closed_streams() -> None:
    """Replace streams that were closed before the start (`>&-`) by empty ones."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        sys.stdin, sys.stdout, sys.stderr = (
            stream or open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115  # stays open until the process ends
            for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
        )


def _complete() -> None:
    if not _complete_from_table():
        from todo_cli.cli.shell_completion import print_completions

        print_completions()


def _complete_from_table() -> bool:
    """Complete a command's name from COMMANDS without further imports; False if the word is not a command's name."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    if os.environ["_TODO_COMPLETE"] != "names" or len(words) > 2 or words[-1].startswith("-"):
        return False
    typed = words[1] if len(words) > 1 else ""
    sys.stdout.write("".join(f"{name}\t{line}\n" for name, (_, _, line) in COMMANDS.items() if name.startswith(typed)))
    return True


if __name__ == "__main__":
    main()
