"""Print the JSON Schema of what a command prints with --json."""

from __future__ import annotations

from typing import Annotated

import typer

PANEL = "Operate"
app = typer.Typer(add_completion=False)


def _complete_command(incomplete: str) -> list[str]:
    from todo_cli.cli.json_schemas import list_commands

    return [name for name in list_commands() if name.startswith(incomplete)]


@app.command()
def schema(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            help="Command, such as list or token create; without it, list the commands.",
            metavar="[COMMAND]",
            autocompletion=_complete_command,
        ),
    ] = None,
) -> None:
    """Print the JSON Schema of what a command prints with --json; without a command, list those that have one.

    Fields are only added: a program that ignores unknown ones keeps working.

    todo schema list > list.schema.json

    todo schema token create
    """
    from todo_cli.cli.json_schemas import list_commands, make_json_schema
    from todo_cli.cli.render import json, text

    if words:
        json.write_document(make_json_schema(" ".join(words)))
        return
    for name in list_commands():
        text.write(name)
