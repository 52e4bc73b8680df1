"""Show the history of changes."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from todo_cli.cli.filter_args import FilterCommand, join_filter
from todo_cli.cli.options import Json, JsonLines, Since, output_form, parse_number
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.journal import ChangePage, ListChanges

PANEL = "History"
app = typer.Typer(add_completion=False)

LoggedTasks = Annotated[
    list[str] | None,
    typer.Argument(
        help="Show only changes of this task, or of the tasks that match a filter now.", metavar="[N|FILTER]"
    ),
]
By = Annotated[str | None, typer.Option("--by", help="Show only changes of this member; `me` is you.", metavar="NAME")]
OfToken = Annotated[str | None, typer.Option("--token", help="Show only changes with this token.", metavar="NAME")]
Via = Annotated[Literal["api", "chat", "direct", "mcp"] | None, typer.Option(help="Show only changes made this way.")]
UntilOption = Annotated[str | None, typer.Option(help="Only up to this day or time.", metavar="WHEN")]
Before = Annotated[int | None, typer.Option(help="Show only changes before this one.", min=1, metavar="SEQ")]
Seq = Annotated[
    int | None, typer.Option("--seq", help="Show only this change, with all its tasks.", min=1, metavar="SEQ")
]
Count = Annotated[
    int, typer.Option("--limit", "-n", help="Maximum number of changes.", min=1, max=1000, metavar="COUNT")
]
Diff = Annotated[bool, typer.Option("--diff", help="Print each changed field on a line of its own.")]


@app.command(cls=FilterCommand)
def log(
    ctx: typer.Context,
    tasks: LoggedTasks = None,
    by: By = None,
    token: OfToken = None,
    via: Via = None,
    since: Since = None,
    until: UntilOption = None,
    limit: Count = 20,
    before: Before = None,
    seq: Seq = None,
    diff: Diff = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Show changes, newest first: what was changed, when, and by whom: you, a model, an agent or another user.

    todo log 12 --diff

    todo log '#home' --by me --since monday

    todo log -n 100 --jsonl
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    number, filter = _read_tasks(tasks)
    if seq is None:
        request = ListChanges(
            number=number,
            filter=filter,
            by=by,
            token=token,
            via=via,
            since=since,
            until=until,
            before=before,
            limit=limit,
        )
    else:
        request = ListChanges(
            seq=seq, number=number, filter=filter, by=by, token=token, via=via, since=since, until=until
        )
    page = read_pages(session, request)
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.changes)
        return
    _print_changes(session, page, request, diff=diff)


def _read_tasks(words: list[str] | None) -> tuple[int | None, str | None]:
    """Return the number of one task, or the filter."""
    if words and len(words) == 1 and words[0].removeprefix("#").isdecimal():
        return parse_number(words[0]), None
    return None, join_filter(words)


def read_pages(session: Session, request: ListChanges) -> ChangePage:
    """Return changes up to the limit. A request looks through a part of the journal; further ones continue after it."""
    from msgspec.structs import replace

    page = session.send(request)
    while page.next and len(page.changes) < request.limit:
        left = request.limit - len(page.changes)
        more = session.send(replace(request, before=page.next, limit=left))
        page = ChangePage(changes=page.changes + more.changes, next=more.next)
    return page


def _print_changes(session: Session, page: ChangePage, request: ListChanges, *, diff: bool) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.changes import change_cells, format_changes

    if not session.is_terminal:
        for change in page.changes:
            text.write("\t".join(change_cells(change)))
    elif not page.changes:
        is_narrow = request != ListChanges(limit=request.limit)
        first = "No changes yet. Undo and history begin with the first one: todo add 'Buy milk'"
        text.note("No such changes. All changes: todo log" if is_narrow else first)
    else:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.list_view import open_view
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_changes(page.changes, open_view(session), read_width(), by_field=diff))
    if page.next and session.is_terminal:
        is_whole = request == ListChanges(limit=request.limit, before=request.before)
        command = "todo log" if is_whole else "the same with"
        text.hint(session, f"older changes: {command} --before {page.next}")
