"""Print the results of a search on a terminal, with the matches highlighted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import format_fields
from todo_cli.cli.session import Session
from todo_cli.contract.message_search import Passage
from todo_cli.contract.search import Snippet, TaskHit

if TYPE_CHECKING:
    from rich.text import Text

MAX_SNIPPETS = 3  # of one task, beside its title
ROLE_NAMES = {"user": "you", "assistant": "todo", "tool": "tasks"}


def print_hits(session: Session, hits: Sequence[TaskHit]) -> None:
    """Print a line per task, and below it the matching parts of its note and comments."""
    from rich.table import Table

    from todo_cli.cli.render.console import print_renderable

    now, colored = session.local_now(), session.use_color
    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_column(justify="right", no_wrap=True, style="cyan" if colored else "")
    grid.add_column(overflow="fold")
    for hit in hits:
        grid.add_row(str(hit.task.number), _title_line(hit, now, colored=colored, absolute=session.absolute_dates))
        snippets = [snippet for snippet in hit.snippets if snippet.where != "title"]
        for snippet in snippets[:MAX_SNIPPETS]:
            grid.add_row("", _snippet_line(snippet, colored=colored))
    print_renderable(session, grid)


def _title_line(hit: TaskHit, now: datetime, *, colored: bool, absolute: bool) -> Text:
    whole_title = Snippet(where="title", text=hit.task.title, parts=())
    title = next((snippet for snippet in hit.snippets if snippet.where == "title"), whole_title)
    line = highlight(title, colored=colored)
    status = "" if hit.task.status == "open" else hit.task.status
    facts = ", ".join(part for part in (format_fields(hit.task, now.tzinfo, now, absolute=absolute), status) if part)
    if facts:
        line.append(f" ({escape(facts)})", style="dim" if colored else "")
    return line


def _snippet_line(snippet: Snippet, *, colored: bool) -> Text:
    from rich.text import Text

    line = Text(f"{snippet.where}: ", style="dim" if colored else "")
    return line.append_text(highlight(snippet, colored=colored))


def highlight(snippet: Snippet | Passage, *, colored: bool) -> Text:
    """Return the text on one line, with the matches in reverse video."""
    from rich.text import Text

    line = Text()
    for piece, matches in split_matches(snippet):
        line.append(piece, style="bold reverse not dim" if matches and colored else "")
    return line


def split_matches(snippet: Snippet | Passage) -> Iterator[tuple[str, bool]]:
    """Yield the text in escaped pieces, each with whether it matches."""
    behind = 0
    for start, end in snippet.parts:
        yield _flatten(snippet.text[behind:start]), False
        yield _flatten(snippet.text[start:end]), True
        behind = end
    yield _flatten(snippet.text[behind:]), False


def _flatten(text: str) -> str:
    return escape("".join(" " if character in "\r\n\t" else character for character in text))
