"""Export and delete your own account."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.accounts import AccountRow, DeleteAccount, ExportAccount
from todo_cli.contract.users import WhoAmI

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Export or delete your own account.")


@app.command()
def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write, or - for stdout.", metavar="FILE", allow_dash=True)],
) -> None:
    """Write every row of your account as JSON Lines: {"table": …, "row": {…}}. No secret is in it.

    Files in an object store are listed, not written: see todo export
    --attachments.

    todo account export ada.jsonl

    todo account export - | gzip > ada.jsonl.gz
    """
    from todo_cli.cli.render import text
    from todo_cli.cli.transfers.output_file import open_output

    session, count = session_of(ctx), 0
    is_stdout = str(file) == "-"
    with open_output(None if is_stdout else file) as output:
        after: str | None = None
        while count == 0 or after:
            page = session.send(ExportAccount(after=after))
            output.writelines(_format_row(row) for row in page.rows)
            count, after = count + len(page.rows), page.next
    if not is_stdout:
        text.note(f"Wrote {count:,} rows to {file}.")


def _format_row(row: AccountRow) -> str:
    import msgspec

    return msgspec.json.encode(row).decode() + "\n"


@app.command()
def delete(
    ctx: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete it without asking for its name.")] = False,
    as_json: Json = False,
) -> None:
    """Delete your account with all your tasks, files, chats and tokens. This cannot be undone.

    In spaces that others use, tasks and files stay; comments and the history
    lose your words and name.

    todo account export ada.jsonl && todo account delete

    todo account delete --yes
    """
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    session = session_of(ctx)
    name = session.send(WhoAmI()).name
    if not yes and _ask_for_name(session, name) != name:
        text.note("Nothing was deleted.")
        return
    deleted = session.send(DeleteAccount(name=name))
    _forget_token(session)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(deleted)
        return
    tasks = deleted.rows.get("tasks", 0)
    text.write(escape(f"Deleted the account {name}: {tasks:,} task{'' if tasks == 1 else 's'} and all else of yours."))


def _ask_for_name(session: Session, name: str) -> str:
    """Return the name that was typed to confirm the deletion; raises NeedsAnswer without a terminal."""
    from todo_cli.cli.prompts import read_line
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    if session.is_interactive:
        text.note(escape(f"This deletes the account {name} with everything that is yours. It cannot be undone."))
    return read_line(session, "Type the name of the account to delete it: ", flag="--yes")


def _forget_token(session: Session) -> None:
    """Remove the token of the deleted account from the settings, unless it came from the environment."""
    import os

    from todo_cli.settings.settings_file import save_profile

    if os.environ.get("TODO_TOKEN"):
        return
    settings = session.settings
    if settings.keyring:
        from todo_cli.settings.credentials import delete_token

        delete_token(settings.profile)
    save_profile(settings.profile, {"token": None, "keyring": None})
