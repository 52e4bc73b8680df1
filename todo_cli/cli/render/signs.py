"""The signs on a screen: one cell each, with a plain form for terminals that cannot show them."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple


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


def choose_signs() -> Signs:
    """Return the signs for this terminal, its encoding and its language."""
    language = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    is_plain = os.environ.get("TERM") == "dumb" or encoding != "utf8" or language.startswith(WIDE_LANGUAGES)
    return ASCII_SIGNS if is_plain else UNICODE_SIGNS
