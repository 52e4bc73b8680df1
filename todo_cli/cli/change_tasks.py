"""What the commands that change tasks share: send, then say what is so now; or plan it, or ask first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from todo_cli.cli.options import output_form
from todo_cli.cli.session import session_of
from todo_cli.contract.tasks import Changed, OnTasks


def change_tasks(
    ctx: Any, request: OnTasks, word: str, key: str | None, *, plan: bool, yes: bool, as_json: bool, as_lines: bool
) -> None:
    """Send the write and print every task it named; with `plan` only keep what it would do.

    What a filter finds is worked out first, and asked about where it is more than a few; `yes` sends it as it is.
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    if plan:
        from todo_cli.cli.plan_output import print_new_plan

        print_new_plan(session, request, as_json=form != "text")
        return
    if request.filter is UNSET or yes:
        result: Changed | None = session.send(request, key)
    else:
        from todo_cli.cli.change_by_filter import apply_by_filter

        result = apply_by_filter(session, request, key)
    if result is None:
        return
    print_changed(ctx, result, word, form)
    if form == "text":
        _print_remarks(result)


def print_changed(ctx: Any, result: Changed, word: str, form: str) -> None:
    """Print what a write made."""
    if form == "text":
        from todo_cli.cli.render import text

        text.write_changed(word, result, text.load_zone(session_of(ctx).settings.timezone), datetime.now(UTC))
    else:
        from todo_cli.cli.render import json

        json.write_document(result) if form == "json" else json.write_lines(result.tasks)


def _print_remarks(result: Changed) -> None:
    """What else a person should know of it."""
    from todo_cli.cli.render import text

    if result.open_subtasks:
        many = "subtask remains" if result.open_subtasks == 1 else "subtasks remain"
        text.note(f"{result.open_subtasks:,} open {many} (--with-subtasks finishes them, too)")
    for number in result.ended or ():
        text.note(f"#{number} was the last of its series")
