"""The entry point of `todo`: complete the name of a command from the table, or run a command."""

from __future__ import annotations

import gc
import os
import sys

from todo_cli.command_table import COMMANDS

GC_THRESHOLD_OBJECTS = 100_000  # imports create no garbage; looking for it was a tenth of a command's work


def main() -> None:
    """Run the `todo` command and exit."""
    if "_TODO_COMPLETE" in os.environ:
        _complete()
        return
    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    _replace_closed_streams()
    from todo_cli.cli.run import run

    code = run(sys.argv[1:])
    gc.freeze()  # the interpreter's last collections need not visit objects that end with the process
    sys.exit(code)


def _replace_closed_streams() -> None:
    """Open the null device for each standard stream that was closed before the start (`>&-`)."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        sys.stdin, sys.stdout, sys.stderr = (
            stream or open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115  # stays open until the process ends
            for stream, mode in ((sys.stdin, "r"), (sys.stdout, "w"), (sys.stderr, "w"))
        )


def _complete() -> None:
    if not _complete_command_name():
        from todo_cli.cli.shell_completion import print_completions

        print_completions()


def _complete_command_name() -> bool:
    """Print the matching commands of COMMANDS without further imports; return False for anything else."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    if os.environ["_TODO_COMPLETE"] != "names" or len(words) > 2 or words[-1].startswith("-"):
        return False
    prefix = words[1] if len(words) > 1 else ""
    sys.stdout.write("".join(f"{name}\t{line}\n" for name, (_, _, line) in COMMANDS.items() if name.startswith(prefix)))
    return True


if __name__ == "__main__":
    main()
