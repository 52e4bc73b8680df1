"""How an error looks: one line on stderr, or one object."""

from __future__ import annotations

import sys
from typing import Any

from todo_cli.cli.render.escape import escape
from todo_cli.errors import Bug, TodoError


def print_error(error: Any, *, as_json: bool) -> int:
    """Write it; the exit code."""
    assert isinstance(error, TodoError)  # noqa: S101  # main hands on nothing else
    if as_json:
        import msgspec

        problem = error.as_problem() | {"exit_code": error.exit_code}
        line = msgspec.json.encode({"error": problem}, enc_hook=str).decode()
    else:
        hint = f" ({error.hint})" if error.hint else ""
        line = f"todo: {escape(error.detail)}{escape(hint)}"
    sys.stderr.write(line + "\n")
    return error.exit_code


def print_bug(error: Exception, *, as_json: bool) -> int:
    """A fault of ours: its kind and place, never its values."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (
        f"{trace.tb_frame.f_code.co_filename.rpartition('todo_cli')[2].lstrip('/')}:{trace.tb_lineno}" if trace else "?"
    )
    bug = Bug(f"an unexpected {type(error).__name__} at {place}", hint="see the trace with: todo --debug …")
    return print_error(bug, as_json=as_json)
