"""Fetch and print a list of tasks: shared by list, next, today, upcoming and overdue."""

from __future__ import annotations

from typing import Any

from todo_cli.cli.options import output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.limits import MAX_PAGE_ITEMS
from todo_cli.contract.tasks import ListTasks, TaskPage


def print_list(ctx: Any, request: ListTasks, *, everything: bool, as_json: bool, as_lines: bool, nothing: str) -> None:
    """Print one page of the requested tasks, or all pages; `nothing` is printed on a terminal if there are none."""
    session, form = session_of(ctx), output_form(as_json, as_lines)
    page = _fetch_all(session, request) if everything else session.send(request)
    _print_page(session, page, form, nothing)


def _fetch_all(session: Session, request: ListTasks) -> TaskPage:
    import msgspec

    page = session.send(msgspec.structs.replace(request, limit=MAX_PAGE_ITEMS))
    tasks = list(page.tasks)
    while page.next:
        page = session.send(msgspec.structs.replace(request, limit=MAX_PAGE_ITEMS, cursor=page.next))
        tasks += page.tasks
    return TaskPage(tasks=tuple(tasks), cut=page.cut)


def _print_page(session: Session, page: TaskPage, form: str, nothing: str) -> None:
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.tasks)
        return
    from todo_cli.cli.render import text

    zone = text.zone_for(page.tasks, session)
    if not session.is_terminal:
        text.write_tsv(page.tasks, zone)
    elif page.tasks:
        from todo_cli.cli.render import table

        table.print_tasks(page.tasks, zone, session.clock.now, colored=session.use_color)
    else:
        text.note(nothing)
    if page.next and session.is_terminal:
        text.note(f"{len(page.tasks)} shown, more exist: todo list --all")
    elif page.cut is True:
        text.note(f"{len(page.tasks)} shown, more exist; this order depends on the time, so it has at most 200 tasks")
