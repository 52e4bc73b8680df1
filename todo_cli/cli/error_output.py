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
            line = "\n".join([wrap(line, "  "), *_point_at_place(error)])
    sys.stderr.write(line + "\n")
    return error.exit_code


def _point_at_place(error: TodoError) -> list[str]:
    """Return the filter of the error and a line with `^^^` under the word that is wrong, if they fit."""
    filter, position = error.extra.get("filter"), error.extra.get("position")
    if not isinstance(filter, str) or not isinstance(position, int) or not 1 <= position <= len(filter) + 1:
        return []
    from todo_cli.cli.render.cells import measure, read_width

    before, behind = escape(filter[: position - 1]), escape(filter[position - 1 :])
    if measure(before + behind) + 2 > read_width():
        return []
    word = behind.split(" ", 1)[0].rstrip(")")
    return [f"  {before}{behind}", f"  {' ' * measure(before)}{'^' * max(1, measure(word))}"]


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
