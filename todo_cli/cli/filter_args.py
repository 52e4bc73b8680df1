"""Filters on a command line: their words, and those that begin with a minus."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

# -@work, -#home, -due:fri, -'two words': a filter's minus, no flag's
_NEGATED_TERM = re.compile(r"-(?:[@#+:('\"!]|[A-Za-z.]{2,}(?:[:<>]|!=))")

FilterArgument = Annotated[
    list[str] | None,
    typer.Argument(
        help="Which tasks: project:home @phone due<fri p1 -@work 'free words' 3 7-9 :view", metavar="FILTER",
        show_default=False,
    ),
]  # fmt: skip


class FilterCommand(TyperCommand):
    """A command whose arguments are a filter: a term may begin with a minus."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What would be taken for flags is turned around with a ! instead."""
        end = args.index("--") if "--" in args else len(args)
        return super().parse_args(ctx, [_escape_minus(word) for word in args[:end]] + args[end:])


def _escape_minus(word: str) -> str:
    return "!" + word[1:] if _NEGATED_TERM.match(word) else word


def join_filter(words: list[str] | None) -> str | None:
    """The words as one filter, None for none."""
    return " ".join(words) if words else None
