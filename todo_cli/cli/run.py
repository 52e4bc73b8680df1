"""Run one command. Every error ends here, as one line and an exit code."""

from __future__ import annotations

import errno
import os
import sys

from todo_cli.errors import TodoError

FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)  # what a write to stdout may end with


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; every error becomes one line here."""
    try:
        code = _program(arguments)
        sys.stdout.flush()
        return code
    except TodoError as error:
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
        return _report(error, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _abandon_output()  # the reader has had enough
        return 0
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # so rich ends it
            return 0
        raise
    except OSError as error:
        return _bug(error, arguments) if error.errno not in FULL or error.filename else _unwritten(error, arguments)
    except Exception as error:
        return _bug(error, arguments)


def _program(arguments: list[str]) -> int:
    from todo_cli.cli.group import call

    return call(arguments)


def _report(error: object, arguments: list[str]) -> int:
    from todo_cli.cli.error_output import report

    return report(error, as_json=_wants_json(arguments))


def _abandon_output() -> None:
    # the interpreter's own flush at exit must not find the same fault again
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritten(error: OSError, arguments: list[str]) -> int:
    _abandon_output()
    hint = "make room; if it was a change, it has been made, see: todo log"
    return _report(TodoError(f"the output cannot be written: {error.strerror}", hint=hint), arguments)


def _bug(error: Exception, arguments: list[str]) -> int:
    if "--debug" in arguments:
        raise error
    from todo_cli.cli.error_output import report_bug

    return report_bug(error, as_json=_wants_json(arguments))


def _wants_json(arguments: list[str]) -> bool:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return "--json" in options or "--jsonl" in options
