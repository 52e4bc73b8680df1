"""Build and run the commands that change tasks: send, plan, or ask first; then print the changed tasks."""

from __future__ import annotations

from typing import Any

import typer
from msgspec import UNSET

from todo_cli.cli.filter_args import FilterCommand
from todo_cli.cli.options import IfRev, Json, JsonLines, Key, PlanOnly, Yes, output_form
from todo_cli.cli.session import session_of
from todo_cli.cli.task_args import TasksArgument, parse_task_args
from todo_cli.contract.tasks import Changed, EditTasks, OnTasks


def change_command(request_type: type[OnTasks], *, help: str) -> typer.Typer:
    """Return the app of a command that changes tasks by a Request without fields of its own."""
    app = typer.Typer(add_completion=False)

    @app.command(request_type.label, cls=FilterCommand, help=help)
    def command(
        ctx: typer.Context,
        tasks: TasksArgument,
        if_rev: IfRev = None,
        plan: PlanOnly = False,
        yes: Yes = False,
        key: Key = None,
        as_json: Json = False,
        as_lines: JsonLines = False,
    ) -> None:
        request = request_type(**parse_task_args(tasks), if_rev=if_rev)
        change_tasks(ctx, request, key, plan=plan, yes=yes, as_json=as_json, as_lines=as_lines)

    return app


def change_tasks(
    ctx: Any,
    request: OnTasks,
    key: str | None,
    *,
    plan: bool,
    yes: bool,
    as_json: bool,
    as_lines: bool,
    past: str | None = None,
) -> None:
    """Send the write and print every task it changed; with `plan`, store and print the plan instead.

    A write by filter is planned first and confirmed by the person, unless `yes` is given or few tasks match. `past`
    replaces the Request's own past tense in the output.
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
    print_changed(ctx, result, past or request.past, form)
    if form == "text":
        _print_remarks(result)
        if isinstance(request, EditTasks) and (request.defer or request.due):
            from todo_cli.cli.render.late_defer import warn_of_late_defer

            warn_of_late_defer(result.tasks, session.load_zone())


def print_changed(ctx: Any, result: Changed, past: str, form: str) -> None:
    """Print the tasks that a write changed."""
    if form == "text":
        from todo_cli.cli.render import text

        session = session_of(ctx)
        # a repeated key returns the tasks as they are now, which later changes may have made
        unchanged = {task.number for task in result.tasks if result.new and task.rev != result.seq}
        text.write_changed(
            past,
            result,
            session.load_zone_for(result.tasks),
            session.clock.now,
            unchanged,
            absolute=session.absolute_dates,
        )
    else:
        from todo_cli.cli.render import json

        json.write_document(result) if form == "json" else json.write_lines(result.tasks)


def _print_remarks(result: Changed) -> None:
    from todo_cli.cli.render import text

    if result.open_subtasks:
        remain = "subtask remains" if result.open_subtasks == 1 else "subtasks remain"
        text.note(f"{result.open_subtasks:,} open {remain} (complete them too with --with-subtasks)")
    for number in result.ended or ():
        text.note(f"#{number} was the last occurrence of its series")
    for number in result.open_next or ():
        text.note(f"the next occurrence #{number} was changed since, so both are open")
