"""Run one command. Every error ends here, as one line and an exit code."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys

from todo_cli.errors import TodoError

OUTPUT_ERRNOS = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO)
"""Errors of a write to stdout that are the disk's fault, not the program's."""


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    _escape_unencodable_output()
    try:
        code = _run_command_line(arguments)
        sys.stdout.flush()
        return code
    except TodoError as error:
        if "--debug" in arguments:
            import traceback

            traceback.print_exc()
        return _print_error(error, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _abandon_output()
        return 0
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # rich exits so when its pipe is closed
            return 0
        raise
    except OSError as error:
        if error.errno in OUTPUT_ERRNOS and not error.filename:
            return _print_output_error(error, arguments)
        return _print_bug(error, arguments)
    except Exception as error:
        return _print_bug(error, arguments)


def _escape_unencodable_output() -> None:
    """Escape characters that stdout cannot encode, as JSON does, instead of failing after a change was made."""
    codecs.register_error("todo_escape", _escape_unencodable)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="todo_escape")


def _escape_unencodable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[index : index + 4]}" for index in range(0, len(units), 4)), error.end


def _run_command_line(arguments: list[str]) -> int:
    from todo_cli.cli.group import run_command_line

    return run_command_line(arguments)


def _print_error(error: object, arguments: list[str]) -> int:
    from todo_cli.cli.error_output import print_error

    return print_error(error, as_json=_wants_json(arguments))


def _abandon_output() -> None:
    """Point stdout to nowhere, so that the flush at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_output_error(error: OSError, arguments: list[str]) -> int:
    _abandon_output()
    hint = "free some space; if the command changed tasks, the change was made: todo log"
    return _print_error(TodoError(f"cannot write the output: {error.strerror}", hint=hint), arguments)


def _print_bug(error: Exception, arguments: list[str]) -> int:
    if "--debug" in arguments:
        raise error
    from todo_cli.cli.error_output import print_bug

    return print_bug(error, as_json=_wants_json(arguments))


def _wants_json(arguments: list[str]) -> bool:
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    names = {option.partition("=")[0] for option in options}
    return bool(names & {"--json", "--jsonl", "--jq", "--template"})
