"""List spaces and choose one to work in."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.users import ListSpaces, Space
from todo_cli.errors import Conflict, NotFound

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="List spaces and choose one to work in.")


@app.command("list")
def list_spaces(ctx: typer.Context, as_json: Json = False) -> None:
    """List the spaces you are a member of; a star marks the one in use.

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
    print_rows(session, ("", "Name", "Role", "Id"), cells)


@app.command()
def use(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="Name or id of a space.", metavar="NAME")]
) -> None:
    """Work in this space from now on, with this profile.

    todo space use family

    todo --profile work space use team
    """
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape
    from todo_cli.settings.settings_file import save_profile

    session = session_of(ctx)
    found = [space for space in session.send(ListSpaces()).spaces if name in (space.name, space.id)]
    if not found:
        raise NotFound(f"you are in no space {name!r}", hint="see: todo space list")
    if len(found) > 1:
        raise Conflict(f"{len(found)} of your spaces are called {name!r}", hint="name it by its id: todo space list")
    save_profile(session.settings.profile, {"space": None if found[0].personal else found[0].id})
    text.write(escape(f"Working in {found[0].name}."))


def _mark(session: Session, space: Space) -> str:
    chosen = session.settings.space
    return "*" if chosen == space.id or (chosen is None and space.personal) else ""
