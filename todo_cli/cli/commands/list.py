"""List tasks: the open ones, soonest due first."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from todo_cli.cli import list_output
from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.options import Json, JsonLines, Priority, Project, parse_priority
from todo_cli.contract.filters import SORTS
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


def _sorts(incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    sign = "-" if last.startswith("-") else ""
    return [f"{before}{comma}{sign}{key}" for key in SORTS if key.startswith(last.removeprefix("-"))]


@app.command("list", cls=FilterCommand)
def list_tasks(
    ctx: typer.Context,
    words: FilterArgument = None,
    status: Annotated[Literal["open", "done", "deleted", "all"], typer.Option(help="Which tasks.")] = "open",
    project: Project = None,
    tag: Annotated[str | None, typer.Option("--tag", "-t", help="Tasks with this tag.", metavar="NAME")] = None,
    prio: Priority = None,
    due: Annotated[str | None, typer.Option(help="Due on this day.", metavar="WHEN")] = None,
    due_before: Annotated[str | None, typer.Option(help="Due before this.", metavar="WHEN")] = None,
    due_after: Annotated[str | None, typer.Option(help="Due after this.", metavar="WHEN")] = None,
    sort: Annotated[
        str,
        typer.Option(
            help="Order, as priority,-due; a minus turns a key around.", metavar="KEYS", autocompletion=_sorts
        ),
    ] = "due",
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=list_output.MAX_PAGE_TASKS)
    ] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on behind the `next` of a page.", metavar="TEXT")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List tasks: those that a filter names, else the default view, else the open ones, soonest due first.

    Work grows with what is shown, not with what is stored. Terms: project:home = #home, @phone, p1, due<fri,
    is:blocked, has:note, 3 7-9, 'free words', :view; and, or, not, parentheses.

    todo list 'project:home -@work due<fri'

    todo list is:done 'done>=monday' --sort -completed -n 5 --json
    """
    said = join_filter(words)
    narrowed = any((said, project, tag, prio, due, due_before, due_after, status != "open"))
    it = ListTasks(
        filter=said, status=status, project=project and project.removeprefix("#"), tag=tag and tag.removeprefix("@"),
        priority=parse_priority(prio), due=due, due_before=due_before, due_after=due_after, sort=sort, limit=limit,
        cursor=cursor, home=not narrowed,
    )  # fmt: skip
    list_output.print_list(ctx, it, everything=everything, as_json=as_json, as_lines=as_lines)
