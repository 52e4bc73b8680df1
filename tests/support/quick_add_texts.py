"""Texts of quick add without what was read from them."""

from datetime import date

from todo_cli.parsing.quick_add_title import QuickAddToken

FRIDAY = date(2026, 11, 27)


def remove_spaces(text: str) -> str:
    """Return the text without its spaces."""
    return "".join(text.split())


def text_outside(text: str, tokens: tuple[QuickAddToken, ...]) -> str:
    """Return the characters that belong to no token."""
    inside = {place for token in tokens for place in range(token.start, token.end)}
    return "".join(char for place, char in enumerate(text) if place not in inside)
