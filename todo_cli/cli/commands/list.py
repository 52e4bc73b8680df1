"""List tasks: by default the open ones, soonest due first."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from msgspec import UNSET
from msgspec.structs import replace

from todo_cli.cli.empty_lists import explain_no_match, explain_with
from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.list_options import (
    AbsoluteOption,
    AsOfOption,
    ColumnsOption,
    FlatOption,
    FormatOption,
    GroupOption,
    HeadOption,
    ListScreen,
    WrapOption,
    parse_columns,
)
from todo_cli.cli.list_output import ListChoices, print_list
from todo_cli.cli.options import Cursor, Json, JsonLines, Priority, Project, output_form, parse_priority
from todo_cli.cli.render import text
from todo_cli.cli.session import session_of
from todo_cli.contract.filters import SORTS
from todo_cli.contract.limits import MAX_PAGE_ITEMS
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
VIEW_COMMANDS = ("next", "overdue", "today", "upcoming")
EMPTY_MESSAGE = "Nothing is open. Add something with: todo add 'Buy milk tomorrow'"
app = typer.Typer(add_completion=False)

StatusOption = Annotated[Literal["open", "done", "deleted", "all"], typer.Option(help="Status of the tasks.")]


def _complete_sort(incomplete: str) -> list[str]:
    before, comma, last = incomplete.rpartition(",")
    sign = "-" if last.startswith("-") else ""
    return [f"{before}{comma}{sign}{key}" for key in SORTS if key.startswith(last.removeprefix("-"))]


SORT_HELP = f"Up to four keys, such as priority,-due; - reverses one: {', '.join(SORTS)}. Default: your preference."
SortOption = Annotated[str | None, typer.Option(help=SORT_HELP, metavar="KEYS", autocompletion=_complete_sort)]


LimitOption = Annotated[
    int,
    typer.Option("--limit", "-n", help="Maximum number of tasks.", min=1, max=MAX_PAGE_ITEMS, metavar="COUNT"),
]

TagOption = Annotated[str | None, typer.Option("--tag", "-t", help="Tag.", metavar="NAME")]


@app.command("list", cls=FilterCommand)
def list_tasks(
    ctx: typer.Context,
    words: FilterArgument = None,
    status: StatusOption = "open",
    project: Project = None,
    tag: TagOption = None,
    prio: Priority = None,
    due: Annotated[str | None, typer.Option(help="Due on this day.", metavar="WHEN")] = None,
    due_before: Annotated[str | None, typer.Option(help="Due before this day or time.", metavar="WHEN")] = None,
    due_after: Annotated[str | None, typer.Option(help="Due after this day or time.", metavar="WHEN")] = None,
    sort: SortOption = None,
    limit: LimitOption = 50,
    cursor: Cursor = None,
    everything: Annotated[bool, typer.Option("--all", help="List all tasks, without a limit.")] = False,
    as_of: AsOfOption = None,
    group: GroupOption = None,
    columns: ColumnsOption = None,
    flat: FlatOption = False,
    wrap: WrapOption = False,
    absolute: AbsoluteOption = False,
    format: FormatOption = None,
    head: HeadOption = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List tasks that match a filter. By default: those of your default view, or the open ones, soonest due first.

    Terms of a filter: project:home (or #home), @phone, p1, is:blocked, 3 7-9,
    'free words', :view. Combine terms with and, or, not and parentheses.

    todo list 'project:home -@work due<fri' --group project

    todo list is:done 'done>=monday' --sort -completed -n 5 --json
    """
    request = ListTasks(
        filter=join_filter(words),
        status=status,
        priority=parse_priority(prio),
        due_before=due_before,
        due_after=due_after,
        sort=UNSET if sort is None else sort,
        limit=limit,
        cursor=cursor,
        project=project and project.removeprefix("#"),
        tag=tag and tag.removeprefix("@"),
        due=due,
        as_of=UNSET if as_of is None else as_of,
    )
    screen = ListScreen(parse_columns(columns), group, flat, wrap, absolute, format, head)
    _print(ctx, request, screen, output_form(as_json, as_lines), everything=everything)


def _print(ctx: typer.Context, request: ListTasks, screen: ListScreen, form: str, *, everything: bool) -> None:
    """Print the list; without a filter it is the default view."""
    plain = ListTasks(sort=request.sort, limit=request.limit, cursor=request.cursor, as_of=request.as_of)
    narrowed = request != plain
    explain = explain_no_match(request.filter) if narrowed else explain_with(EMPTY_MESSAGE)
    more = "for all: --all" if narrowed else "todo list --all"
    choices = ListChoices(explain, form, screen, everything=everything, more=more)
    print_list(ctx, replace(request, home=not narrowed), choices)
    _hint_at_command(ctx, request.filter)


def _hint_at_command(ctx: typer.Context, filter: str | None) -> None:
    """Print a hint where the filter is the name of a command that lists tasks."""
    if filter in VIEW_COMMANDS and session_of(ctx).is_terminal:
        text.hint(session_of(ctx), f"hint: this searches for the word {filter!r}; for the list, run: todo {filter}")
