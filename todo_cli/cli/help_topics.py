"""The topics of `todo help`: pages in `todo_cli/help/`, which are parts of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from todo_cli.cli.session import Session

_DIRECTORY = Path(__file__).parent.parent / "help"
MAX_TEXT_CELLS = 100
"""Wider lines are hard to read."""
_NEW_LINE = re.compile(r"\s*([-*|>#]|\d+\.|```|$)")
"""Begins a line that does not continue the one before."""


def list_topics() -> list[str]:
    """Return the names of the topics in their order."""
    return sorted(page.stem for page in _DIRECTORY.glob("*.md"))


def read_topic(name: str) -> str:
    """Return the text of a topic, as Markdown."""
    return (_DIRECTORY / f"{name}.md").read_text(encoding="utf-8")


def print_topic(session: Session, name: str) -> None:
    """Print a topic: drawn on a terminal, through the pager, and as Markdown in a pipe."""
    if not session.is_terminal:
        from todo_cli.cli.render import text

        text.write(read_topic(name).rstrip())
        return
    from todo_cli.cli.render.cells import read_width
    from todo_cli.cli.render.markdown import MarkdownRenderer
    from todo_cli.cli.render.pager import print_lines
    from todo_cli.cli.render.signs import choose_signs

    width = min(read_width(), MAX_TEXT_CELLS)
    signs = choose_signs(session.display.signs)
    lines = MarkdownRenderer(colored=session.use_color, signs=signs).render_text(join_lines(read_topic(name)), width)
    print_lines(session, lines)


def join_lines(text: str) -> str:
    """Join the lines of each paragraph, so that they can be wrapped anew; code, tables and lists keep theirs."""
    joined: list[str] = []
    in_code = False
    for line in text.split("\n"):
        is_fence = line.lstrip().startswith("```")
        continues = not (in_code or is_fence or _NEW_LINE.match(line))
        if continues and joined and _can_continue(joined[-1]):
            joined[-1] = f"{joined[-1]} {line.strip()}"
        else:
            joined.append(line)
        in_code ^= is_fence
    return "\n".join(joined)


def _can_continue(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith(("```", "|", "#"))
