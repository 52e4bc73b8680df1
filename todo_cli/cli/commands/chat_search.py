"""todo chat search"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, JsonLines, Since, output_form
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.search_results import ROLE_NAMES
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.limits import MAX_SEARCH_CHARS
from todo_cli.contract.message_search import MessageHit, SearchConversations
from todo_cli.errors import Invalid


def search(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help="Words to search for.", metavar="WORDS", show_default=False)],
    conversation: Annotated[
        int | None, typer.Option("--conversation", "-c", help="Search only this conversation.", min=1, metavar="N")
    ] = None,
    role: Annotated[
        Literal["user", "assistant"] | None, typer.Option(help="Search only your messages, or only the model's.")
    ] = None,
    since: Since = None,
    until: Annotated[str | None, typer.Option(help="Only up to this day or time.", metavar="WHEN")] = None,
    newest: Annotated[bool, typer.Option("--newest", help="Sort by time, newest first.")] = False,
    limit: Annotated[
        int, typer.Option("--limit", "-n", help="Maximum number of messages.", min=1, max=200, metavar="COUNT")
    ] = 20,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Search the messages of conversations and the tasks changed in them.

    Lists the best matches first. The beginning of a word is enough.

    todo chat search dentist

    todo chat search --since 'last monday' --role user -n 5 'rent contract'
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    query = " ".join(words).strip()
    if not query:
        raise Invalid("the search is blank", hint="name a word: todo chat search rent")
    request = SearchConversations(
        words=query[: MAX_SEARCH_CHARS + 1],
        number=conversation,
        role=role,
        since=since,
        until=until,
        sort="newest" if newest else "rank",
        limit=limit,
    )
    page = session.send(request)
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(page) if form == "json" else json.write_lines(page.hits)
    elif page.hits:
        _print_hits(session, page.hits, query)
    elif session.is_terminal:
        text.note("No messages match. Try fewer words, or the beginning of a word. The trash is not searched.")


def _print_hits(session: Session, hits: Sequence[MessageHit], words: str) -> None:
    if not session.is_terminal:
        for hit in hits:
            passage = " ".join(hit.passage.text.split())
            place = (str(hit.conversation), str(hit.seq), ROLE_NAMES[hit.role], text.format_instant(hit.at))
            text.write("\t".join(escape(cell) for cell in (*place, hit.title, passage)))
        return
    from todo_cli.cli.render.message_hits import print_message_hits

    print_message_hits(session, hits, words)
