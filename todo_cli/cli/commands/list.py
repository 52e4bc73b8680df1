"""List tasks: by default the open ones, soonest due first."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from msgspec import UNSET

from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.list_output import ListChoices, print_list
from todo_cli.cli.options import Cursor, Json, JsonLines, Priority, Project, output_form, parse_priority
from todo_cli.cli.render import text
from todo_cli.cli.session import session_of
from todo_cli.contract.filters import SORTS
from todo_cli.contract.limits import MAX_PAGE_ITEMS
from todo_cli.contract.tasks import ListTasks

PANEL = "Tasks"
VIEW_COMMANDS = ("next", "overdue", "today", "upcoming")
EMPTY_MESSAGE = "Nothing is open. Add a task with: todo add 'Buy milk tomorrow'"
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
WrapOption = Annotated[bool, typer.Option("--wrap", help="Wrap long titles instead of cutting them.")]


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
    wrap: WrapOption = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List tasks that match a filter. By default: those of your default view, or the open ones, soonest due first.

    Terms of a filter: project:home (or #home), @phone, p1, due<fri,
    is:blocked, has:note, 3 7-9, 'free words', :view. Combine terms with and,
    or, not and parentheses.

    todo list 'project:home -@work due<fri'

    todo list is:done 'done>=monday' --sort -completed -n 5 --json
    """
    filter = join_filter(words)
    narrowed = any((filter, project, tag, prio, due, due_before, due_after, status != "open"))
    request = ListTasks(
        filter=filter,
        status=status,
        project=project and project.removeprefix("#"),
        tag=tag and tag.removeprefix("@"),
        priority=parse_priority(prio),
        due=due,
        due_before=due_before,
        due_after=due_after,
        sort=UNSET if sort is None else sort,
        limit=limit,
        cursor=cursor,
        home=not narrowed,
    )
    _hint_at_command(ctx, filter)
    nothing, form = _empty_message(filter, narrowed), output_form(as_json, as_lines)
    more = "for all: --all" if narrowed else "todo list --all"
    choices = ListChoices(nothing, form, everything=everything, more=more, wrap_titles=wrap)
    print_list(ctx, request, choices)


def _hint_at_command(ctx: typer.Context, filter: str | None) -> None:
    """Print a hint where the filter is the name of a command that lists tasks."""
    if filter in VIEW_COMMANDS and session_of(ctx).is_terminal:
        text.note(f"hint: this searches for the word {filter!r}; for the list, run: todo {filter}")


def _empty_message(filter: str | None, narrowed: bool) -> str:
    if filter:
        return f"No task matches {filter!r}."
    return "No task matches." if narrowed else EMPTY_MESSAGE
