"""Show statistics: a burndown, a year of done tasks, streaks, and the time by project."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.list_options import FormatOption
from todo_cli.cli.options import Json
from todo_cli.cli.session import session_of
from todo_cli.contract.limits import MAX_STATS_DAYS
from todo_cli.contract.stats import ShowStats

PANEL = "Tasks"
DEFAULT_DAYS = 60
app = typer.Typer(add_completion=False)


@app.command()
def stats(
    ctx: typer.Context,
    days: Annotated[
        int, typer.Option("--days", help="Days of the burndown.", min=1, max=MAX_STATS_DAYS, metavar="COUNT")
    ] = DEFAULT_DAYS,
    format: FormatOption = None,
    as_json: Json = False,
) -> None:
    """Show statistics: a burndown, the tasks done in a year and each week, streaks, and the time by project.

    The time is that of this month, from start and stop.

    todo stats

    todo stats --days 14 --json | jq .streak
    """
    session = session_of(ctx)
    session.choose_format(format)
    answer = session.send(ShowStats(days=days))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(answer)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.stats_screen import format_stats, format_stats_lines

    if session.is_terminal:
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.list_view import open_view
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_stats(answer, open_view(session), read_width()))
    else:
        for line in format_stats_lines(answer):
            text.write(line)
