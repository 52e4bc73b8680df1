"""Open the console of rich, which draws Markdown, help and highlighted text."""

from __future__ import annotations

from rich.console import Console


def open_console(*, colored: bool) -> Console:
    """Return a console for stdout that takes no text for markup."""
    return Console(
        no_color=not colored,
        force_terminal=True if colored else None,
        markup=False,
        highlight=False,
        emoji=False,
    )
