"""Show help: for a command, or for a topic such as filters, dates and exit-codes."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.help_topics import list_topics, print_topic
from todo_cli.cli.session import session_of
from todo_cli.errors import Invalid

PANEL = "Account"
app = typer.Typer(add_completion=False)


def _complete_name(incomplete: str) -> list[str]:
    from todo_cli.command_table import COMMANDS

    return [name for name in (*list_topics(), *COMMANDS) if name.startswith(incomplete)]


@app.command("help")
def show_help(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="A topic, or a command.", metavar="NAME", show_default=False, autocompletion=_complete_name
        ),
    ] = None,
) -> None:
    """Show help: for a command, or for a topic such as filters, dates and exit-codes.

    Topics are the pages of the documentation that explain how things work.

    todo help filters

    todo help edit
    """
    if not words:
        typer.echo(ctx.find_root().get_help())
        return
    if len(words) == 1 and words[0] in list_topics():
        print_topic(session_of(ctx), words[0])
        return
    _raise_unknown(words)


def _raise_unknown(words: list[str]) -> None:
    """Raise Invalid with the names that are similar."""
    from todo_cli.command_table import COMMANDS
    from todo_cli.parsing.filter_vocabulary import suggest

    name = " ".join(words)
    topics = f"topics: {', '.join(list_topics())}"
    raise Invalid(
        f"there is no command or topic {name[:60]!r}", hint=suggest(name, [*list_topics(), *COMMANDS]) or topics
    )
