"""Fetch and print a list of tasks: shared by list, next, today, upcoming and overdue."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from todo_cli.cli.list_options import PIPE_COLUMNS, ListScreen
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.limits import MAX_PAGE_ITEMS
from todo_cli.contract.preferences import DEFAULT_SORT
from todo_cli.contract.tasks import ListTasks, TaskPage

if TYPE_CHECKING:
    from todo_cli.cli.render.list_view import ListView

Explain = Callable[[Session, ListTasks], str]


class ListChoices(NamedTuple):
    """What a command asks of its list: how it is fetched and printed.

    `explain_empty` returns the line that a terminal gets if the list is empty; `more` is the command that lists more
    than the page.
    """

    explain_empty: Explain
    form: str
    screen: ListScreen
    everything: bool = False
    more: str = "todo list --all"


def print_list(ctx: Any, request: ListTasks, choices: ListChoices) -> None:
    """Print one page of the requested tasks, or all pages. A terminal also gets the number of the others."""
    session = session_of(ctx)
    session.choose_format(choices.screen.format)
    request = _complete_request(session, request, choices)
    page = fetch_all(session, request) if choices.everything else session.send(request)
    if choices.form == "text" and session.is_terminal:
        _print_screen(session, page, request, choices)
    elif choices.form == "text":
        _print_lines(page, choices.screen)
    else:
        from todo_cli.cli.render import json

        json.write_document(page) if choices.form == "json" else json.write_lines(page.tasks)


def _complete_request(session: Session, request: ListTasks, choices: ListChoices) -> ListTasks:
    """Ask for what the form of the output shows: counts, urgency, and the titles of other tasks where there is room."""
    import msgspec

    changes: dict[str, Any] = {}
    if choices.form == "text" and session.is_terminal:
        from todo_cli.cli.render.cells import MIN_COLUMNS_WIDTH, read_width

        has_room = read_width() >= MIN_COLUMNS_WIDTH
        changes = {"count_deferred": True, "count_all": not choices.everything, "with_links": has_room}
        changes["with_links"] |= request.explain
    elif choices.form == "json":
        changes = {"count_deferred": True}
    if "urgency" in choices.screen.columns:
        changes["explain"] = True
    return msgspec.structs.replace(request, **changes)


def fetch_all(session: Session, request: ListTasks) -> TaskPage:
    """Return all tasks that the request finds, as one page."""
    import msgspec

    first = page = session.send(msgspec.structs.replace(request, limit=MAX_PAGE_ITEMS))
    tasks = list(page.tasks)
    if first.as_of is not msgspec.UNSET:  # the same moment for each page
        request = msgspec.structs.replace(request, as_of=first.as_of.isoformat())
    while page.next:
        page = session.send(msgspec.structs.replace(request, limit=MAX_PAGE_ITEMS, cursor=page.next))
        tasks += page.tasks
    return TaskPage(tasks=tuple(tasks), cut=page.cut, deferred=first.deferred, sort=first.sort, as_of=first.as_of)


def _print_lines(page: TaskPage, screen: ListScreen) -> None:
    """Print the lines of a pipe."""
    from todo_cli.cli.render import text

    names = screen.columns or PIPE_COLUMNS
    if screen.head:
        text.write("\t".join(names))
    if not screen.columns:
        from todo_cli.cli.render.tsv import write_tsv

        write_tsv(page.tasks)
        return
    from todo_cli.cli.render.chosen_columns import format_pipe_row

    for task in page.tasks:
        text.write(format_pipe_row(task, names))


def _print_screen(session: Session, page: TaskPage, request: ListTasks, choices: ListChoices) -> None:
    """Print the list as a screen: its form depends on the width."""
    if not page.tasks:
        from todo_cli.cli.render import text

        hidden = f" {page.deferred:,} deferred: todo list is:deferred" if page.deferred else ""
        text.note(choices.explain_empty(session, request) + hidden)
        return
    from todo_cli.cli.render.cells import read_width
    from todo_cli.cli.render.list_footer import format_footer
    from todo_cli.cli.render.pager import print_screen

    width, screen = read_width(), choices.screen
    view = choose_view(session, page, request, screen, width)
    if request.explain and not screen.columns:
        from todo_cli.cli.render.urgency_parts import format_explained

        lines = format_explained(page, view, width)
    elif screen.columns:
        from todo_cli.cli.render.chosen_columns import format_chosen_columns

        lines = format_chosen_columns(page.tasks, view, width, screen.columns)
    else:
        from todo_cli.cli.render.list_columns import format_tasks

        lines = format_tasks(page.tasks, view, width)
    print_screen(session, [*lines, *format_footer(page, view, choices.more, width)])


def choose_view(session: Session, page: TaskPage, request: ListTasks, screen: ListScreen, width: int) -> ListView:
    """Return how a page of the requested list is shown at a width."""
    from todo_cli.cli.render.cells import MIN_COLUMNS_WIDTH
    from todo_cli.cli.render.list_view import open_view

    sort = page.sort or request.sort or DEFAULT_SORT
    is_by_day = sort == DEFAULT_SORT and not screen.columns
    view = open_view(session, absolute=screen.absolute)
    if page.as_of:
        view = view._replace(now=page.as_of)
    return view._replace(
        as_tree=sort == DEFAULT_SORT and not screen.flat,
        with_urgency=sort == "urgency",
        wrap_titles=screen.wrap,
        name_parents=width >= MIN_COLUMNS_WIDTH,
        group=screen.group or ("day" if is_by_day else "none"),
    )
