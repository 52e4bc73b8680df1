"""Fetch and print a list of tasks: shared by list, next, today, upcoming and overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from todo_cli.cli.session import Session, session_of
from todo_cli.contract.limits import MAX_COUNTED_TASKS, MAX_PAGE_ITEMS
from todo_cli.contract.preferences import DEFAULT_SORT
from todo_cli.contract.tasks import ListTasks, TaskPage

if TYPE_CHECKING:
    from todo_cli.cli.render.colors import Line


class ListChoices(NamedTuple):
    """What a command asks of its list: how it is fetched and printed.

    `nothing` is printed on a terminal if the list is empty, `more` if it is longer than the page.
    """

    nothing: str
    form: str
    everything: bool = False
    more: str = "todo list --all"
    wrap_titles: bool = False


def print_list(ctx: Any, request: ListTasks, choices: ListChoices) -> None:
    """Print one page of the requested tasks, or all pages. A terminal also gets the number of the others."""
    import msgspec

    session, form = session_of(ctx), choices.form
    if form == "text" and session.is_terminal:
        request = msgspec.structs.replace(request, count_deferred=True, count_all=not choices.everything)
    elif form == "json":
        request = msgspec.structs.replace(request, count_deferred=True)
    page = _fetch_all(session, request) if choices.everything else session.send(request)
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.tasks)
    elif session.is_terminal:
        _print_screen(session, page, request, choices)
    else:
        from todo_cli.cli.render import text

        text.write_tsv(page.tasks)


def _fetch_all(session: Session, request: ListTasks) -> TaskPage:
    import msgspec

    first = page = session.send(msgspec.structs.replace(request, limit=MAX_PAGE_ITEMS))
    tasks = list(page.tasks)
    while page.next:
        page = session.send(msgspec.structs.replace(request, limit=MAX_PAGE_ITEMS, cursor=page.next))
        tasks += page.tasks
    return TaskPage(tasks=tuple(tasks), cut=page.cut, deferred=first.deferred, sort=first.sort)


def _print_screen(session: Session, page: TaskPage, request: ListTasks, choices: ListChoices) -> None:
    """Print the list as a screen: its form depends on the width."""
    from todo_cli.cli.render import text

    hidden = f"{page.deferred:,} deferred (is:deferred)" if page.deferred else ""
    if not page.tasks:
        text.note(f"{choices.nothing} {hidden}".rstrip())
        return
    from todo_cli.cli.render.cells import read_width
    from todo_cli.cli.render.list_columns import format_tasks
    from todo_cli.cli.render.pager import print_screen
    from todo_cli.cli.render.task_rows import open_view

    width, sort = read_width(), page.sort or request.sort or DEFAULT_SORT
    view = open_view(session)._replace(
        as_tree=sort == DEFAULT_SORT,
        with_urgency=sort == "urgency",
        wrap_titles=choices.wrap_titles,
    )
    print_screen(session, [*format_tasks(page.tasks, view, width), *_format_footer(page, hidden, choices.more, width)])


def _format_footer(page: TaskPage, hidden: str, more: str, width: int) -> list[Line]:
    """Return `50 of 214 shown, 2 deferred (is:deferred) · todo list --all`; nothing if the list hides nothing."""
    from todo_cli.cli.render.cells import measure
    from todo_cli.cli.render.colors import Piece

    is_cut = bool(page.next or page.cut)
    if not is_cut and not hidden:
        return []
    shown = f"{len(page.tasks):,} shown"
    if is_cut and page.total:
        plus = "+" if page.total >= MAX_COUNTED_TASKS else ""
        shown = f"{len(page.tasks):,} of {page.total:,}{plus} shown"
    parts = [f"{shown}, {hidden}" if hidden else shown]
    if is_cut and more:
        parts.append(f" · {more}")
    while measure("".join(parts)) > width and len(parts) > 1:
        parts.pop()
    return [[], [Piece("".join(parts), "grey")]]
