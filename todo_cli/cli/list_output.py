"""What list, next, today, upcoming and overdue share: ask for a page, or all of them, and show it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from todo_cli.cli.options import one_of
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import ListTasks, TaskPage

MOST = 1_000  # a request's limit
NOTHING = "Nothing here. Add something with: todo add 'Buy milk'"


def show(
    ctx: Any, request: ListTasks, *, everything: bool, as_json: bool, as_lines: bool, nothing: str = NOTHING
) -> None:
    """Print the tasks that the request finds."""
    session, form = session_of(ctx), one_of(as_json, as_lines)
    page = _all(session, request) if everything else session.send(request)
    _render(session, page, form, nothing)


def _all(session: Session, request: ListTasks) -> TaskPage:
    import msgspec

    page = session.send(msgspec.structs.replace(request, limit=MOST))
    tasks = list(page.tasks)
    while page.next:
        page = session.send(msgspec.structs.replace(request, limit=MOST, cursor=page.next))
        tasks += page.tasks
    return TaskPage(tasks=tuple(tasks), cut=page.cut)


def _render(session: Session, page: TaskPage, form: str, nothing: str) -> None:
    if form != "text":
        from todo_cli.cli.render import json

        json.document(page) if form == "json" else json.lines(page.tasks)
        return
    from todo_cli.cli.render import text

    zone = text.zone_for(page.tasks, session.settings.timezone)
    if not session.table:
        text.plain(page.tasks, zone)
    elif page.tasks:
        from todo_cli.cli.render import table

        table.tasks(page.tasks, zone, datetime.now(UTC), colored=session.colored)
    else:
        text.note(nothing)
    if page.next:
        text.note(f"{len(page.tasks)} shown, there are more: todo list --all, or --cursor {page.next}")
    elif page.cut is True:
        text.note(f"{len(page.tasks)} shown, there are more; in this order, which moves with the clock, 200 at most")
