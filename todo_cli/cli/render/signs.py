"""The signs on a screen: one cell each, with a plain form for terminals that cannot show them."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from todo_cli.contract.display import SignSet


class Signs(NamedTuple):
    """Each sign by its meaning."""

    started: str
    blocked: str
    claimed: str
    deferred: str
    recurs: str
    branch: str
    last_branch: str
    below: str
    parent: str
    done: str
    deleted: str
    ellipsis: str
    dot: str
    arrow: str


UNICODE_SIGNS = Signs("▸", "⊘", "⚑", "◌", "↻", "├ ", "└ ", "›", "‹", "✓", "✗", "…", "·", "→")
ASCII_SIGNS = Signs(">", "x", "@", "~", "*", "+- ", "+- ", ">", "<", "ok", "--", "...", "-", "->")

WIDE_LANGUAGES = ("zh", "ja", "ko")
"""Their terminals may draw signs of ambiguous width over two cells."""


def choose_signs(preferred: SignSet | None = None) -> Signs:
    """Return the preferred signs if the terminal can show them, else those for its language."""
    if preferred == "ascii" or not can_show_unicode():
        return ASCII_SIGNS
    if preferred == "unicode":
        return UNICODE_SIGNS
    language = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    return ASCII_SIGNS if language.startswith(WIDE_LANGUAGES) else UNICODE_SIGNS


def can_show_unicode() -> bool:
    """Whether the terminal and its encoding have the signs."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return os.environ.get("TERM") != "dumb" and encoding == "utf8"
