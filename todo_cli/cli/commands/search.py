"""Search titles, notes and comments."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.limits import MAX_SEARCH_CHARS
from todo_cli.contract.search import SearchTasks, TaskHits
from todo_cli.errors import Invalid

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command()
def search(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Words to search for.", metavar="WORDS", show_default=False)],
    status: Annotated[Literal["open", "done", "deleted", "all"], typer.Option(help="Status of the tasks.")] = "open",
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of tasks.", min=1, max=100, metavar="COUNT")
    ] = 20,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Search titles, notes and comments, best matches first: also other forms of a word, its beginning, and typos.

    todo search dentist

    todo search --status all -n 5 'rent contract'
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    query = " ".join(words).strip()
    if not query:
        raise Invalid("the search is blank", hint="name a word: todo search rent")
    if len(query) > MAX_SEARCH_CHARS:
        raise Invalid(f"the search is longer than {MAX_SEARCH_CHARS:,} characters", hint="a few words are enough")
    _print_hits(session, session.send(SearchTasks(words=query, status=status, limit=limit)), form, query, status)


def _print_hits(session: Session, page: TaskHits, form: str, query: str, status: str) -> None:
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.hits)
        return
    from todo_cli.cli.render import text

    tasks = [hit.task for hit in page.hits]
    if not session.is_terminal:
        from todo_cli.cli.render.tsv import write_tsv

        write_tsv(tasks)
    elif tasks:
        from todo_cli.cli.render import search_results

        search_results.print_hits(session, page.hits)
        if page.also:
            text.hint(session, f"{_count_others(page)} too; search all tasks with: --status all")
    else:
        text.note(_format_empty(query, status, page))


def _count_others(page: TaskHits) -> str:
    """Return `2 done and 1 deleted match`."""
    return " and ".join(f"{count:,} {status}" for status, count in page.also.items()) + " match"


def _format_empty(query: str, status: str, page: TaskHits) -> str:
    if page.also:
        return f"No {status} tasks match, but {_count_others(page)}. Search all tasks with: --status all"
    if not any(character.isalnum() for character in query):
        return "Nothing found: the search has no letters or digits."
    if status != "all":
        others = "done and deleted tasks" if status == "open" else "all tasks"
        return f"No {status} tasks match. Search {others} too with: --status all"
    return "No tasks match. Try fewer words, or the beginning of a word."
