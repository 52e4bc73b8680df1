"""Print a shell's completion script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from todo_cli.cli.render import text

PANEL = "Operate"
app = typer.Typer(add_completion=False)


@app.command()
def completion(shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(help="Name of the shell.")]) -> None:
    """Print a shell's completion script.

    todo completion bash >> ~/.bashrc

    todo completion fish > ~/.config/fish/completions/todo.fish
    """
    script = Path(__file__).parent.parent / "completion" / f"todo.{shell}"
    text.write(script.read_text().rstrip())
