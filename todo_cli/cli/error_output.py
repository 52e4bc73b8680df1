"""Print an error: one line on stderr, or one JSON object."""

from __future__ import annotations

import sys
from typing import Any

from todo_cli.cli.render.escape import escape, escape_json
from todo_cli.cli.render.text import wrap
from todo_cli.errors import Bug, TodoError


def print_error(error: Any, *, as_json: bool) -> int:
    """Print the error and return its exit code."""
    assert isinstance(error, TodoError)  # noqa: S101  # cli/run.py passes nothing else
    if as_json:
        import msgspec

        problem = error.as_problem() | {"exit_code": error.exit_code}
        line = escape_json(msgspec.json.encode({"error": problem}, enc_hook=str).decode())
    else:
        hint = f" ({error.hint})" if error.hint else ""
        line = f"todo: {escape(error.detail)}{escape(hint)}"
        if sys.stderr.isatty():
            line = wrap(line, "  ")
    sys.stderr.write(line + "\n")
    return error.exit_code


def print_bug(error: Exception, *, as_json: bool) -> int:
    """Print the type and place of an unexpected error, never its values, which may be private."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "?"
    if trace:
        file = trace.tb_frame.f_code.co_filename.rpartition("todo_cli")[2].lstrip("/")
        place = f"{file}:{trace.tb_lineno}"
    bug = Bug(f"an unexpected {type(error).__name__} at {place}", hint="see the trace with: todo --debug …")
    return print_error(bug, as_json=as_json)
