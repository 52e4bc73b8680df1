"""Find tasks by words, forgiving typing mistakes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.search import SearchTasks, TaskHits
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)

LONGEST = 10_000


@app.command()
def search(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help="What to look for.", metavar="WORDS", show_default=False)],
    status: Annotated[Literal["open", "done", "deleted", "all"], typer.Option(help="Which tasks.")] = "open",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=100)] = 20,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Find tasks by words in titles, notes and comments, the best first. Typing mistakes and beginnings of words do.

    todo search dentist

    todo search --status all -n 5 'rent contract'
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    sought = " ".join(words).strip()
    if not sought:
        raise Invalid("there is nothing to look for", hint="name a word: todo search rent")
    if len(sought) > LONGEST:
        raise Invalid(f"more than {LONGEST:,} characters to look for", hint="a few words do")
    _render(session, session.send(SearchTasks(words=sought, status=status, limit=limit)), form, sought, status)


def _render(session: Session, found: TaskHits, form: str, sought: str, status: str) -> None:
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(found) if form == "json" else json.write_lines(found.hits)
        return
    from todo_cli.cli.render import text

    tasks = [hit.task for hit in found.hits]
    zone = text.zone_for(tasks, session.settings.timezone)
    if not session.table:
        text.write_tsv(tasks, zone)
    elif tasks:
        from todo_cli.cli.render import search_results

        search_results.print_hits(found.hits, zone, datetime.now(UTC), colored=session.colored)
    else:
        text.note(_suggestion(sought, status))


def _suggestion(sought: str, status: str) -> str:
    if not any(character.isalnum() for character in sought):
        return "Nothing found: there is no letter and no digit in it."
    if status != "all":
        which = "done and deleted ones" if status == "open" else "all"
        return f"Nothing found among {status} tasks. Look through {which} too: --status all"
    return "Nothing found. Try fewer words, or the beginning of one."
