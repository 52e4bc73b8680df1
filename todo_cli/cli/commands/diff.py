"""Show how tasks differ between two moments."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.filter_args import FilterCommand, join_filter
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.diff import DifferencePage, DiffTasks

PANEL = "History"
app = typer.Typer(add_completion=False)

DEFAULT_START = "yesterday"
RangeArgument = Annotated[
    str,
    typer.Argument(help="Two times in the past: monday..now, or one, up to now.", metavar="[FROM..TO]"),
]
FilterWords = Annotated[
    list[str] | None, typer.Argument(help="Only tasks that match this filter now.", metavar="[FILTER]")
]


@app.command(cls=FilterCommand)
def diff(
    ctx: typer.Context,
    moments: RangeArgument = DEFAULT_START,
    words: FilterWords = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of tasks.", min=1, max=1000, metavar="COUNT")
    ] = 100,
    after: Annotated[
        int | None, typer.Option("--from-number", help="Start after this task.", min=1, metavar="N")
    ] = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Show how tasks differ between two moments: added, finished, deleted, or changed. The default is since yesterday.

    A day alone means its beginning on the left and its end on the right.

    todo diff monday..now

    todo diff 2026-11-01..2026-11-15 '#home' --json
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    since, until = split_range(moments)
    page = session.send(DiffTasks(since=since, until=until, filter=join_filter(words), after=after, limit=limit))
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.differences)
    else:
        _print_differences(session, page)


def split_range(text: str) -> tuple[str, str | None]:
    """Return both ends of `monday..friday`, `monday..`, `..friday` or `monday`; the end is None where it is now."""
    start, dots, end = text.partition("..")
    end = end.removeprefix(".").strip()  # git's three dots are a habit
    return start.strip() or DEFAULT_START, end if dots and end else None


def _print_differences(session: Session, page: DifferencePage) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.diff import difference_cells, format_differences

    if not session.is_terminal:
        for difference in page.differences:
            text.write("\t".join(difference_cells(difference)))
    elif not page.differences:
        text.note("Nothing differs between these times")
    else:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.list_view import open_view
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_differences(page, open_view(session), read_width()))
    if page.next and session.is_terminal:
        text.hint(session, f"more tasks: the same with --from-number {page.next}")
