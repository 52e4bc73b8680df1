"""Show months with the days on which tasks are due."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

import typer

from todo_cli.cli.filter_args import FilterArgument, FilterCommand, join_filter
from todo_cli.cli.list_options import AbsoluteOption, FormatOption
from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.tasks import ListTasks, Task
from todo_cli.errors import Invalid

PANEL = "Tasks"
MAX_MONTHS = 24
EVERY_DEFERRED = "(defer:none or defer:any)"
"""A filter that mentions `defer` finds deferred tasks too: they are due on their days all the same."""
app = typer.Typer(add_completion=False)


@app.command(cls=FilterCommand)
def calendar(
    ctx: typer.Context,
    words: FilterArgument = None,
    months: Annotated[
        int | None, typer.Option(help="Number of months.", min=1, max=MAX_MONTHS, metavar="COUNT")
    ] = None,
    absolute: AbsoluteOption = False,
    format: FormatOption = None,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Show months with the days on which tasks are due, and the tasks of the coming two weeks.

    A month, as 2027-03, may stand before the filter. Without one the calendar
    begins with the current month.

    todo calendar

    todo calendar 2027-03 '#work or p1' --months 6
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    session.choose_format(format)
    month, filter_words = _split_month(words or [])
    firsts = _list_months(month or session.local_now().date(), months or _count_shown_months(session))
    tasks = _fetch_tasks(session, firsts, join_filter(filter_words))
    if month is None and firsts[0] != session.local_now().date().replace(day=1):
        # this machine's clock is wrong, and only the answer has the right day
        firsts = _list_months(session.local_now().date(), len(firsts))
        tasks = _fetch_tasks(session, firsts, join_filter(filter_words))
    _print(session, tasks, firsts, form, absolute=absolute)


def _split_month(words: list[str]) -> tuple[date | None, list[str]]:
    """Return the month that the first word names, and the words of the filter; raises Invalid."""
    if not words or not re.fullmatch(r"\d{4}-\d{1,2}", words[0]):
        return None, words
    year, month = map(int, words[0].split("-"))
    if not (1 <= month <= 12 and 1 <= year <= 9990):
        raise Invalid(f"{words[0]!r} is not a month", hint="for example: todo calendar 2027-03")
    return date(year, month, 1), words[1:]


def _count_shown_months(session: Session) -> int:
    from todo_cli.cli.render.cells import read_width
    from todo_cli.cli.render.month_grid import count_months_in_a_row

    return count_months_in_a_row(read_width()) if session.is_terminal else 1


def _list_months(day: date, count: int) -> list[date]:
    """Return the first days of so many months, from that of the day on."""
    places = range(day.year * 12 + day.month - 1, day.year * 12 + day.month - 1 + count)
    return [date(place // 12, place % 12 + 1, 1) for place in places]


def _fetch_tasks(session: Session, firsts: list[date], filter: str | None) -> tuple[Task, ...]:
    """Return the open tasks that are due up to the end of the months; earlier ones may recur in them."""
    from todo_cli.cli.list_output import fetch_all
    from todo_cli.cli.render.calendar_screen import find_end_of_month

    bound = f"due<={find_end_of_month(firsts[-1])} {EVERY_DEFERRED}"
    narrowed = f"{bound} and ({filter})" if filter else bound
    return fetch_all(session, ListTasks(filter=narrowed, sort="due")).tasks


def _print(session: Session, tasks: tuple[Task, ...], firsts: list[date], form: str, *, absolute: bool) -> None:
    from todo_cli.cli.render.days import local_day

    if form == "text" and session.is_terminal:
        from todo_cli.cli.render.calendar_screen import format_calendar
        from todo_cli.cli.render.cells import read_width
        from todo_cli.cli.render.list_view import open_view
        from todo_cli.cli.render.pager import print_screen

        print_screen(session, format_calendar(tasks, firsts, open_view(session, absolute=absolute), read_width()))
        return
    shown = [task for task in tasks if task.due and local_day(task.due, session.load_zone()) >= firsts[0]]
    if form == "text":
        from todo_cli.cli.render.tsv import write_tsv

        write_tsv(shown)
        return
    from todo_cli.cli.render import json

    json.write_document({"tasks": shown}) if form == "json" else json.write_lines(shown)
