"""The entry point: complete a command's name from the table, or run a command."""

from __future__ import annotations

import gc
import os
import sys

from todo_cli.command_table import COMMANDS


def main() -> None:
    """The `todo` command."""
    if "_TODO_COMPLETE" in os.environ:
        _complete()
        return
    # Imports make no garbage, and looking for it dozens of times is a thirtieth of a command's work.
    gc.set_threshold(50_000)
    _with_streams()
    from todo_cli.cli.run import run

    sys.exit(run(sys.argv[1:]))


def _with_streams() -> None:
    """A stream that was closed before we began (`>&-`) is an empty one."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        sys.stdin, sys.stdout, sys.stderr = (
            stream or open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115  # for as long as we run
            for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
        )


def _complete() -> None:
    if not _completed_by_table():
        from todo_cli.cli.shell_completion import print_completions

        print_completions()


def _completed_by_table() -> bool:
    """Complete a command's name from COMMANDS, before anything is imported; False when it is something else."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    if os.environ["_TODO_COMPLETE"] != "names" or len(words) > 2 or words[-1].startswith("-"):
        return False
    typed = words[1] if len(words) > 1 else ""
    sys.stdout.write("".join(f"{name}\t{line}\n" for name, (_, _, line) in COMMANDS.items() if name.startswith(typed)))
    return True


if __name__ == "__main__":
    main()
