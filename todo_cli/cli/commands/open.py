"""Open the web addresses of a task."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import parse_number
from todo_cli.cli.session import session_of
from todo_cli.cli.task_args import TaskNumberArgument
from todo_cli.contract.tasks import ShowTask
from todo_cli.errors import NotFound

PANEL = "Tasks"
app = typer.Typer(add_completion=False)


@app.command("open")
def open_addresses(
    ctx: typer.Context,
    task: TaskNumberArgument,
    everything: Annotated[bool, typer.Option("--all", help="Open all addresses, not only the first.")] = False,
    only_print: Annotated[bool, typer.Option("--print", help="Print the addresses, one a line; open none.")] = False,
) -> None:
    """Open the first web or mail address in the title or the note of a task.

    todo open 12

    todo open 12 --print

    Only http, https and mailto addresses are opened, with $BROWSER or the
    program of the desktop. Without a desktop they are printed.
    """
    from todo_cli.cli.open_file import can_open_addresses, open_address
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape
    from todo_cli.cli.render.hyperlinks import find_addresses

    number = parse_number(task)
    found = session_of(ctx).send(ShowTask(number=number))
    addresses = list(dict.fromkeys(find_addresses(f"{found.title}\n{found.note or ''}")))
    if not addresses:
        raise NotFound(f"task #{number} has no web address in its title or note", hint=f"see: todo show {number}")
    chosen = addresses if everything or only_print else addresses[:1]
    for address in chosen:
        if only_print or not can_open_addresses():
            text.write(escape(address))
        else:
            text.note(escape(f"opening {address}"))
            open_address(address)
    if len(chosen) < len(addresses):
        text.note(f"{len(addresses) - 1} more: open all with --all, or see them with --print")
