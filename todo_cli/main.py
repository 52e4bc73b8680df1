"""The entry point of `todo`: complete the name of a command from the table, or run a command."""

from __future__ import annotations

import os
import sys

from todo_cli.name_completion import complete_command_name

GC_THRESHOLD_OBJECTS = 100_000  # imports create no garbage; looking for it was a tenth of a command's work


def main() -> None:
    """Run the `todo` command and exit."""
    if "_TODO_COMPLETE" in os.environ:
        _complete()
        return
    # not at the top: `signal` imports the half of what completing a name needs in all
    import gc
    import signal

    gc.set_threshold(GC_THRESHOLD_OBJECTS)
    _replace_closed_streams()
    from todo_cli.cli.run import run

    code = run(sys.argv[1:])
    # the command has done its work: Ctrl-C while the interpreter ends must not end it as a failure
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
    if not complete_command_name():
        from todo_cli.cli.completion.entry import print_completions

        print_completions()


if __name__ == "__main__":
    main()
