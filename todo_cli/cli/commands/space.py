"""List spaces and choose the current one."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.users import ListSpaces, Space
from todo_cli.errors import Conflict, NotFound

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="List spaces and choose the current one.")


@app.command("list")
def list_spaces(ctx: typer.Context, as_json: Json = False) -> None:
    """List the spaces that you are a member of. A star marks the current one.

    todo space list

    todo space list --json
    """
    session = session_of(ctx)
    page = session.send(ListSpaces())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    cells = [(_mark(session, space), space.name, space.role, space.id) for space in page.spaces]
    print_rows(session, ("", "Name", "Role", "ID"), cells, nothing="You are not a member of a space.")


@app.command()
def use(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name or id of the space.", metavar="NAME")]
) -> None:
    """Make a space the current one of this profile.

    todo space use family

    todo --profile work space use team
    """
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape
    from todo_cli.settings.settings_file import save_profile

    session = session_of(ctx)
    spaces = [space for space in session.send(ListSpaces()).spaces if name in (space.name, space.id)]
    if not spaces:
        raise NotFound(f"you are not a member of a space {name!r}", hint="see: todo space list")
    if len(spaces) > 1:
        raise Conflict(f"{len(spaces)} of your spaces are named {name!r}", hint="use the id from: todo space list")
    save_profile(session.settings.profile, {"space": None if spaces[0].personal else spaces[0].id})
    text.write(escape(f"The current space is {spaces[0].name}."))


def _mark(session: Session, space: Space) -> str:
    current = session.settings.space
    return "*" if current == space.id or (current is None and space.personal) else ""
