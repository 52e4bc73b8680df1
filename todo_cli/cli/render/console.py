"""Open the console of rich, which draws Markdown, help and highlighted text."""

from __future__ import annotations

from rich.console import Console, RenderableType

from todo_cli.cli.render.pager import print_lines
from todo_cli.cli.session import Session


def open_console(*, colored: bool) -> Console:
    """Return a console for stdout that takes no text for markup."""
    return Console(
        no_color=not colored,
        force_terminal=True if colored else None,
        markup=False,
        highlight=False,
        emoji=False,
    )


def print_renderable(session: Session, renderable: RenderableType) -> None:
    """Print what rich draws, through the pager if it does not fit on the screen."""
    console = open_console(colored=session.use_color)
    with console.capture() as captured:
        console.print(renderable)
    print_lines(session, captured.get().splitlines())
