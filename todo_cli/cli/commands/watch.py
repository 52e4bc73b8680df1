"""Watch tasks: print changes as they are made, on any machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.options import JsonLines
from todo_cli.cli.session import Session, session_of

if TYPE_CHECKING:
    from todo_cli.change_client.follow import ChangeFollower
    from todo_cli.cli.watch.change_lines import ChangeOutput

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def watch(
    ctx: typer.Context,
    words: FilterArgument = None,
    after: Annotated[
        int | None,
        typer.Option(
            "--after", help="Begin with the changes after this one; 0: with the first.", min=0, metavar="CURSOR"
        ),
    ] = None,
    as_lines: JsonLines = False,
) -> None:
    """Watch the list: draw it again when a task changes, on any machine, until Ctrl-C.

    In a pipe, and with --after, print a line for each change of tasks that match
    before or after it. Watching goes on after an outage; each change is printed
    once.
    Every line of --jsonl has a `cursor`, from which --after continues.

    todo watch '#home'

    todo watch --after 1204 --jsonl
    """
    import asyncio

    from todo_cli.change_client.follow import ChangeFollower
    from todo_cli.change_client.position import FeedPosition

    session = session_of(ctx)
    session.ask_clock()
    if session.is_terminal and not as_lines and after is None and os.environ.get("TERM", "dumb") != "dumb":
        from todo_cli.cli.watch.live_screen import watch_live

        watch_live(session, join_filter(words))
        return
    output = _open_output(session, "jsonl" if as_lines else "text")
    position = FeedPosition(filter=join_filter(words), cursor=after, reminded_since=session.clock.now)
    follower = ChangeFollower(session.settings, position, output.show_outage)
    asyncio.run(_print_changes(follower, output))


def _open_output(session: Session, form: str) -> ChangeOutput:
    from todo_cli.cli.watch import change_lines

    if form == "jsonl":
        return change_lines.ChangeObjects()
    from todo_cli.cli.render.list_view import open_view

    return change_lines.ChangeTexts(open_view(session))


async def _print_changes(follower: ChangeFollower, output: ChangeOutput) -> None:
    async for batch in follower.follow():
        output.show_batch(batch)
