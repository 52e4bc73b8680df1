"""Print the messages that a search found on a terminal: as text, each text once, with the matches highlighted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from todo_cli.cli.render.console import print_renderable
from todo_cli.cli.render.escape import escape
from todo_cli.cli.render.markdown import PARSER
from todo_cli.cli.render.search_results import ROLE_NAMES, highlight
from todo_cli.cli.render.text import format_age
from todo_cli.cli.session import Session
from todo_cli.contract.message_search import MessageHit, Passage
from todo_cli.parsing.highlight import find_matches

if TYPE_CHECKING:
    from rich.text import Text


def print_message_hits(session: Session, hits: Sequence[MessageHit], words: str) -> None:
    """Print the title of each conversation and below it the passages of its messages, the best conversation first."""
    from rich.table import Table
    from rich.text import Text

    colored, now = session.use_color, session.local_now()
    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_column(justify="right", no_wrap=True, style="cyan" if colored else "")
    grid.add_column(overflow="fold")
    for number in dict.fromkeys(hit.conversation for hit in hits):
        found = [hit for hit in hits if hit.conversation == number]
        title = _mark_matches(found[0].title, words, colored=colored)
        title.stylize("bold" if colored else "")
        grid.add_row(str(number), title)
        for hit, passage in choose_passages(found, words):
            age = escape(format_age(hit.at, now, absolute=session.absolute_dates))
            source = f"{hit.seq:>3} {ROLE_NAMES[hit.role]}, {age}: "
            line = Text(source, style="dim" if colored else "")
            grid.add_row("", line.append_text(_mark_matches(passage, words, colored=colored)))
    print_renderable(session, grid)


def choose_passages(hits: Iterable[MessageHit], words: str) -> list[tuple[MessageHit, str]]:
    """Return a conversation's hits, each with its text; a text that an earlier hit or the title has is left out."""
    chosen: dict[str, MessageHit] = {}
    for hit in hits:
        passage = _read_passage(hit, words)
        if passage != " ".join(hit.title.split()):
            chosen.setdefault(passage, hit)
    return [(hit, passage) for passage, hit in chosen.items()]


def _read_passage(hit: MessageHit, words: str) -> str:
    """Return the passage on one line; the model's without Markdown, unless a word is found in a mark such as a link."""
    text = strip_markdown(hit.passage.text) if hit.role == "assistant" else ""
    return text if find_matches(text, words) else " ".join(hit.passage.text.split())


def strip_markdown(source: str) -> str:
    """Return the text on one line, without the marks of Markdown."""
    blocks = [
        "".join(" " if child.type.endswith("break") else child.content for child in token.children)
        if token.children
        else token.content
        for token in PARSER.parse(source)
    ]
    return " ".join(" ".join(blocks).split())


def _mark_matches(passage: str, words: str, *, colored: bool) -> Text:
    return highlight(Passage(text=passage, parts=find_matches(passage, words)), colored=colored)
