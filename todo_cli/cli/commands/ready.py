"""List the tasks that a worker can take now, the most urgent first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from todo_cli.cli.empty_lists import explain_none_ready
from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.list_options import AbsoluteOption, ColumnsOption, FormatOption, ListScreen, WrapOption, parse_columns
from todo_cli.cli.list_output import ListChoices, print_list
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.project_filter import filter_project
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import ListTasks
from todo_cli.errors import Invalid

if TYPE_CHECKING:
    from todo_cli.contract.ready import ReadyTasks

PANEL = "Tasks"
MAX_LISTED = 200
WAITING_FILTER = "is:deferred or -is:ready"
"""It names the deferred tasks, which a list would leave out."""
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def ready(
    ctx: typer.Context,
    words: FilterArgument = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of tasks.", min=1, max=MAX_LISTED, metavar="COUNT")
    ] = 20,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show the parts of each urgency, and why the other tasks are not ready.")
    ] = False,
    columns: ColumnsOption = None,
    wrap: WrapOption = False,
    absolute: AbsoluteOption = False,
    format: FormatOption = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List the tasks that a worker can take now, the most urgent first: not blocked, claimed, deferred or scheduled.

    A filter means the same: todo list is:ready. Take one with: todo claim N,
    or todo claim --next.

    todo ready '#builds' --json

    todo ready --explain
    """
    session, form, filter = session_of(ctx), output_form(as_json, as_lines), join_filter(words)
    filter = filter or filter_project(session)
    request = ListTasks(filter=_narrow("is:ready", filter), sort="urgency", limit=limit, explain=explain)
    if explain and form == "jsonl":
        raise Invalid("--explain and --jsonl cannot be used together", hint="use --json")
    if explain and form == "json":
        from todo_cli.cli.render import json

        json.write_document(_explain(session, request, filter))
        return
    screen = ListScreen(parse_columns(columns), wrap=wrap, absolute=absolute, format=format)
    more = f"todo ready -n {min(2 * limit, MAX_LISTED)}"
    print_list(ctx, request, ListChoices(explain_none_ready, form, screen, more=more))
    if explain:
        _print_waiting(session, _explain(session, request, filter))


def _narrow(state: str, filter: str | None) -> str:
    return f"({filter}) ({state})" if filter else state


def _explain(session: Session, request: ListTasks, filter: str | None) -> ReadyTasks:
    """Return the ready tasks, and the others with the reasons why they are not ready, all of one moment."""
    from msgspec import UNSET

    from todo_cli.cli.waiting_reasons import list_reasons
    from todo_cli.contract.ready import ReadyTasks, WaitingTask

    waiting_request = ListTasks(
        filter=_narrow(WAITING_FILTER, filter), sort="urgency", limit=request.limit, with_links=True
    )
    found, waiting = session.send_all(request, waiting_request)
    rows = tuple(
        WaitingTask(number=task.number, title=task.title, reasons=list_reasons(task, session.local_now()))
        for task in waiting.tasks
    )
    return ReadyTasks(tasks=found.tasks, waiting=rows, cut=bool(found.cut or waiting.cut) or UNSET)


def _print_waiting(session: Session, found: ReadyTasks) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.rows import print_rows

    if session.is_terminal and found.waiting:
        text.write("")
    rows = [(str(task.number), task.title, "; ".join(task.reasons)) for task in found.waiting]
    print_rows(session, ("#", "Not ready", "Why"), rows, nothing="Every open task is ready.")
