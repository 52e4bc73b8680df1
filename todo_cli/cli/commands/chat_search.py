"""todo chat search"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json, JsonLines, output_form
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.message_search import MessageHit, SearchConversations
from todo_cli.errors import Invalid

WHO = {"user": "you", "assistant": "todo", "tool": "tasks"}


def search(
    ctx: typer.Context,
    words: Annotated[list[str], typer.Argument(help="What to look for.", metavar="WORDS", show_default=False)],
    conversation: Annotated[
        int | None, typer.Option("--conversation", "-c", help="Only in this one: its number.", min=1, metavar="N")
    ] = None,
    role: Annotated[
        Literal["user", "assistant"] | None, typer.Option(help="Only what you said, or what the model said and did.")
    ] = None,
    since: Annotated[str | None, typer.Option(help="Not before this day or time.", metavar="WHEN")] = None,
    until: Annotated[str | None, typer.Option(help="Not after this day or time.", metavar="WHEN")] = None,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first, not the best.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many at most.", min=1, max=200)] = 20,
    as_json: Json = False,
    as_lines: JsonLines = False,
) -> None:
    """Find what was said in conversations, and the tasks changed there, by words or their beginnings, the best first.

    todo chat search dentist

    todo chat search --since 'last monday' --role user -n 5 'rent contract'
    """
    session, form = session_of(ctx), output_form(as_json, as_lines)
    sought = " ".join(words).strip()
    if not sought:
        raise Invalid("there is nothing to look for", hint="name a word: todo chat search rent")
    found = session.send(
        SearchConversations(words=sought[:10_001], number=conversation, role=role, since=since, until=until,
                            sort="newest" if newest else "rank", limit=limit)
    )  # fmt: skip
    if form != "text":
        from todo_cli.cli.render import json

        json.write_document(found) if form == "json" else json.write_lines(found.hits)
    elif found.hits:
        _render(session, found.hits)
    elif session.table:
        text.note("Nothing found. Try fewer words, or the beginning of one; the bin is not looked through.")


def _render(session: Session, hits: Sequence[MessageHit]) -> None:
    if not session.table:
        for hit in hits:
            shown = " ".join(hit.passage.text.split())
            place = (str(hit.conversation), str(hit.seq), WHO[hit.role], f"{hit.at:%Y-%m-%dT%H:%M:%SZ}")
            text.write("\t".join(escape(cell) for cell in (*place, hit.title, shown)))
        return
    from rich.table import Table
    from rich.text import Text

    from todo_cli.cli.render.search_results import highlight
    from todo_cli.cli.render.table import open_console

    colored, now = session.colored, datetime.now(UTC)
    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_column(justify="right", no_wrap=True, style="cyan" if colored else "")
    grid.add_column(overflow="fold")
    for before, hit in zip([None, *hits], hits, strict=False):
        if before is None or before.conversation != hit.conversation:
            grid.add_row(str(hit.conversation), Text(escape(hit.title), style="bold" if colored else ""))
        said = Text(f"{WHO[hit.role]}, {text.format_age(hit.at, now)}: ", style="dim" if colored else "")
        grid.add_row("", said.append_text(highlight(hit.passage, colored=colored)))
    open_console(colored=colored).print(grid)
