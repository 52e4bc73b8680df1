"""Print or install the completion script of a shell."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.completion.install import Shell, find_shell, install_script, read_script, remove_script
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.errors import Invalid

PANEL = "Operate"
app = typer.Typer(add_completion=False)


@app.command()
def completion(
    shell: Annotated[
        Shell | None, typer.Argument(help="Name of the shell.", show_default=False, metavar="[SHELL]")
    ] = None,
    install: Annotated[bool, typer.Option("--install", help="Install it for your shell.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Remove it again.")] = False,
    named: Annotated[Shell | None, typer.Option("--shell", help="Shell to install for; default: $SHELL.")] = None,
) -> None:
    """Print or install the completion script of a shell.

    todo completion --install

    todo completion fish > ~/.config/fish/completions/todo.fish

    The Tab key completes commands and options, and numbers of tasks, projects,
    tags, views and other names of your list.
    """
    shell = shell or named
    if install and uninstall:
        raise Invalid("--install and --uninstall cannot be used together")
    if install or uninstall:
        _change(shell or find_shell(), uninstall=uninstall)
    elif shell is None:
        raise Invalid("no shell is named", hint="name bash, zsh or fish, or install it: todo completion --install")
    else:
        text.write(read_script(shell).rstrip())


def _change(shell: Shell, *, uninstall: bool) -> None:
    """Install or remove the script, and print each file that changed."""
    done = remove_script(shell) if uninstall else install_script(shell)
    for line in done:
        text.write(escape(line))
    if not done:
        state = "is not installed" if uninstall else "is installed already"
        text.write(f"The completion of {shell} {state}.")
    elif not uninstall:
        text.note(f"Open a new {shell} to use it.")
