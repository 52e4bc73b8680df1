"""Print names in use with their numbers of tasks: shared by tags and projects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from todo_cli.cli.session import Session
from todo_cli.contract.views import ListProjects, ListTags, NameCount, NameCounts

if TYPE_CHECKING:
    from todo_cli.cli.render.colors import Line
    from todo_cli.cli.render.list_view import ListView


def print_name_counts(
    session: Session, request: ListTags | ListProjects, *, nothing: str, as_json: bool, with_totals: bool = False
) -> None:
    """Print the answer as a table on a terminal, as tab-separated lines in a pipe, or as JSON."""
    page = session.send(request)
    from todo_cli.cli.render import text

    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
    elif not session.is_terminal:
        for count in page.used:
            text.write(_format_line(count))
    elif not page.used:
        text.note(nothing)
    else:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.list_view import open_view
        from todo_cli.cli.render.pager import print_screen

        is_project = isinstance(request, ListProjects)
        counts = _choose_rows(page, with_totals=with_totals)
        lay_out = _lay_out_projects if is_project else _lay_out_tags
        print_screen(session, lay_out(counts, page, open_view(session), read_width()))


def _format_line(count: NameCount) -> str:
    """Return the line of a pipe: name, open, done and overdue tasks, next due date."""
    from todo_cli.cli.render.escape import escape

    return f"{escape(count.name)}\t{count.tasks}\t{count.done or 0}\t{count.overdue or 0}\t{count.next_due or ''}"


def _choose_rows(page: NameCounts, *, with_totals: bool) -> list[NameCount]:
    from msgspec.structs import replace

    from todo_cli.cli.render.name_table import add_totals

    rows = add_totals(page.used) if with_totals else list(page.used)
    rest = page.rest or None
    if rest and (rest.tasks or rest.done):
        rows.append(replace(rest, name="No project"))
    return rows


def _lay_out_tags(counts: Sequence[NameCount], page: NameCounts, view: ListView, width: int) -> list[Line]:
    from todo_cli.cli.render.name_table import format_names

    return format_names(counts, "Tag", view, width, with_bars=False)


def _lay_out_projects(counts: Sequence[NameCount], page: NameCounts, view: ListView, width: int) -> list[Line]:
    from todo_cli.cli.render.bars import fit_line
    from todo_cli.cli.render.colors import Piece
    from todo_cli.cli.render.name_table import format_names

    lines = format_names(counts, "Project", view, width, with_bars=True)
    open_tasks = sum(count.tasks for count in page.used) + (page.rest.tasks if page.rest else 0)
    used = sum(count.tasks > 0 for count in page.used)
    footer = f"{open_tasks:,} open in {used:,} {'project' if used == 1 else 'projects'}"
    return [*lines, [], fit_line([Piece(footer, "grey")], width)]
