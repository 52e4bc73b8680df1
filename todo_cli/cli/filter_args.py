"""Filters as command-line arguments, terms that begin with a minus included."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

# -@work, -#home, -due:fri, -'two words': negated terms, not flags
_NEGATED_TERM = re.compile(r"-(?:[@#+:('\"!]|[A-Za-z.]{2,}(?:[:<>]|!=))")

FilterArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="A filter, such as project:home @phone due<fri p1 -@work 'free words' 3 7-9 :view.",
        metavar="FILTER",
        show_default=False,
    ),
]


class FilterCommand(TyperCommand):
    """A command whose arguments are a filter, whose terms may begin with a minus."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Write `-term` as `!term`, so that the option parser does not take it for a flag."""
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, [_escape_minus(word) for word in args[:end]] + args[end:])


def _escape_minus(word: str) -> str:
    return "!" + word[1:] if _NEGATED_TERM.match(word) else word


def join_filter(words: list[str] | None) -> str | None:
    """Join the words into one filter; None for no words."""
    return " ".join(words) if words else None


def narrow_filter(base: str, words: list[str] | None) -> str:
    """Return the filter that matches `base` and, if there are words, the filter they make."""
    return f"({base}) and ({join_filter(words)})" if words else base
