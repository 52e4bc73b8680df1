"""What a search found, for a terminal: what matches stands out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.text import format_fields
from todo_cli.contract.message_search import Passage
from todo_cli.contract.search import Snippet, TaskHit

if TYPE_CHECKING:
    from rich.text import Text

MAX_SNIPPETS = 3  # of one hit, beside its title


def print_hits(found: Sequence[TaskHit], zone: tzinfo | None, now: datetime, *, colored: bool) -> None:
    """A task a line, and below it where its note or comments match; without colour nothing is marked."""
    from rich.table import Table

    from todo_cli.cli.render.table import open_console

    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_column(justify="right", no_wrap=True, style="cyan" if colored else "")
    grid.add_column(overflow="fold")
    for hit in found:
        grid.add_row(str(hit.task.number), _title_line(hit, zone, now, colored=colored))
        for snippet in [one for one in hit.snippets if one.where != "title"][:MAX_SNIPPETS]:
            grid.add_row("", _snippet_line(snippet, colored=colored))
    open_console(colored=colored).print(grid)


def _title_line(hit: TaskHit, zone: tzinfo | None, now: datetime, *, colored: bool) -> Text:
    bare = Snippet(where="title", text=hit.task.title, parts=())
    line = highlight(next((one for one in hit.snippets if one.where == "title"), bare), colored=colored)
    rest = format_fields(hit.task, zone, now)
    if rest or hit.task.status != "open":
        status = "" if hit.task.status == "open" else hit.task.status
        said = ", ".join(part for part in (rest, status) if part)
        line.append(f" ({escape(said)})", style="dim" if colored else "")
    return line


def _snippet_line(snippet: Snippet, *, colored: bool) -> Text:
    from rich.text import Text

    return Text(f"{snippet.where}: ", style="dim" if colored else "").append_text(highlight(snippet, colored=colored))


def highlight(snippet: Snippet | Passage, *, colored: bool) -> Text:
    """On one line, with what matches in reverse: no text can draw such a mark itself."""
    from rich.text import Text

    line = Text()
    for piece, matches in split_matches(snippet):
        line.append(piece, style="bold reverse not dim" if matches and colored else "")
    return line


def split_matches(snippet: Snippet | Passage) -> Iterator[tuple[str, bool]]:
    """The text in pieces, made harmless and on one line, each with whether it matches."""
    behind = 0
    for start, end in snippet.parts:
        yield _flatten(snippet.text[behind:start]), False
        yield _flatten(snippet.text[start:end]), True
        behind = end
    yield _flatten(snippet.text[behind:]), False


def _flatten(text: str) -> str:
    return escape("".join(" " if character in "\r\n\t" else character for character in text))
