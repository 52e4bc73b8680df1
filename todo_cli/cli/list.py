"""todo list"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, JsonLines, Priority, Project, one_of, priority
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import ListTasks, Sort, TaskPage

app = typer.Typer(add_completion=False)

MOST = 1_000  # a request's limit


@app.command("list")
def list_tasks(
    ctx: typer.Context,
    status: Annotated[Literal["open", "done", "deleted", "all"], typer.Option(help="Which tasks.")] = "open",
    project: Project = None,
    tag: Annotated[str | None, typer.Option("--tag", "-t", help="Tasks with this tag.", metavar="NAME")] = None,
    prio: Priority = None,
    due: Annotated[str | None, typer.Option(help="Due on this day.", metavar="WHEN")] = None,
    due_before: Annotated[str | None, typer.Option(help="Due before this.", metavar="WHEN")] = None,
    due_after: Annotated[str | None, typer.Option(help="Due after this.", metavar="WHEN")] = None,
    sort: Annotated[Sort, typer.Option(help="Order; a minus turns it around.")] = "due",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=MOST)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on behind the `next` of a page.", metavar="TEXT")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """List tasks: the open ones, soonest due first. Work grows with what is shown, not with what is stored.

    todo list --due-before tomorrow --tag phone

    todo list --status done --sort -updated -n 5 --json
    """
    session, form = session_of(ctx), one_of(as_json, as_lines)
    it = ListTasks(
        status=status, project=project and project.removeprefix("#"), tag=tag and tag.removeprefix("@"),
        priority=priority(prio), due=due, due_before=due_before, due_after=due_after, sort=sort,
        limit=MOST if everything else limit, cursor=cursor,
    )  # fmt: skip
    page = _all(session, it) if everything else session.send(it)
    _render(session, page, form)


def _all(session: Session, it: ListTasks) -> TaskPage:
    import msgspec

    page = session.send(it)
    tasks = list(page.tasks)
    while page.next:
        page = session.send(msgspec.structs.replace(it, cursor=page.next))
        tasks += page.tasks
    return TaskPage(tasks=tuple(tasks))


def _render(session: Session, page: TaskPage, form: str) -> None:
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
        text.note("Nothing here. Add something with: todo add 'Buy milk'")
    if page.next:
        text.note(f"{len(page.tasks)} shown, there are more: todo list --all, or --cursor {page.next}")
