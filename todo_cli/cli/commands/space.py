"""Create and share spaces, and choose the current one."""

from __future__ import annotations

from typing import Annotated

import typer

from todo_cli.cli.commands import space_members
from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.spaces import CreateSpace, DeleteSpace, JoinSpace, LeaveSpace, ListSpaces, RenameSpace, Space
from todo_cli.errors import Conflict, NotFound

PANEL = "Account"
app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Create and share spaces, and choose the current one."
)
app.command("members")(space_members.list_members)
app.command("invite")(space_members.invite)
app.command("invitations")(space_members.list_invitations)
app.command("uninvite")(space_members.uninvite)
app.command("role")(space_members.set_role)
app.command("remove")(space_members.remove)

SpaceName = Annotated[str, typer.Argument(help="Name or id of the space.", metavar="NAME")]
Use = Annotated[bool, typer.Option("--use", help="Make it the current space of this profile.")]


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
def use(ctx: typer.Context, name: SpaceName) -> None:
    """Make a space the current one of this profile.

    todo space use family

    todo --profile work space use team
    """
    from todo_cli.cli.render import text

    session = session_of(ctx)
    text.write(_choose(session, _find_space(session, name)))


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name of the space.", metavar="NAME")],
    choose: Use = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Create a space that you can share. You are its owner.

    todo space create family --use

    todo space create team --json
    """
    from todo_cli.cli.render import text
    from todo_cli.contract.ids import id_of, new_id

    session = session_of(ctx)
    # the same key must name the same space, whatever machine repeats it
    space_id = id_of("space", key) if key else new_id()
    space = session.send(CreateSpace(id=space_id, name=name), key)
    _print_space(session, "Created", space, as_json)
    if choose:
        text.note(_choose(session, space))


@app.command()
def rename(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="New name of the current space.", metavar="NAME")],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Rename the current space, as one of its owners.

    todo space rename household

    TODO_SPACE=0190b6a0-7b1e-7c3f-9d2e-5a4b3c2d1e0f todo space rename team
    """
    session = session_of(ctx)
    _print_space(session, "Renamed the space to", session.send(RenameSpace(name=name), key), as_json)


@app.command()
def join(ctx: typer.Context, choose: Use = False, key: Key = None, as_json: Json = False) -> None:
    """Join a space by an invitation of one of its owners. It is read from the terminal without echo, or from stdin.

    todo space join --use

    todo space join < invitation.txt
    """
    from todo_cli.cli.prompts import read_secret
    from todo_cli.cli.render import text

    session = session_of(ctx)
    invitation = read_secret(session, "Invitation: ", noun="invitation")
    space = session.send(JoinSpace(invitation=invitation), key)
    _print_space(session, f"Joined as {space.role}:", space, as_json)
    if choose:
        text.note(_choose(session, space))


@app.command()
def leave(ctx: typer.Context, name: SpaceName, key: Key = None, as_json: Json = False) -> None:
    """Leave a space. Its tasks stay with the other members.

    todo space leave family

    todo space leave 0190b6a0-7b1e-7c3f-9d2e-5a4b3c2d1e0f
    """
    session = session_of(ctx)
    found = _find_space(session, name)
    _print_space(session, "Left", session.send(LeaveSpace(id=found.id), key), as_json)
    _forget(session, found)


@app.command("rm")
def delete(
    ctx: typer.Context,
    name: SpaceName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete it without asking.")] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Delete a space with all its tasks, files and history, as its only member. This cannot be undone.

    todo space rm family

    todo space rm family --yes
    """
    from todo_cli.cli.prompts import ask_yes_no
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    session = session_of(ctx)
    found = _find_space(session, name)
    question = escape(f"Delete the space {found.name} with everything in it?")
    if not ask_yes_no(session, question, yes=yes, flag="--yes"):
        text.note("Nothing was deleted.")
        return
    _print_space(session, "Deleted", session.send(DeleteSpace(id=found.id), key), as_json)
    _forget(session, found)


def _find_space(session: Session, name: str) -> Space:
    """Return the space of that name or id; raises NotFound and Conflict."""
    spaces = [space for space in session.send(ListSpaces()).spaces if name in (space.name, space.id)]
    if not spaces:
        raise NotFound(f"you are not a member of a space {name!r}", hint="see: todo space list")
    if len(spaces) > 1:
        raise Conflict(f"{len(spaces)} of your spaces are named {name!r}", hint="use the id from: todo space list")
    return spaces[0]


def _choose(session: Session, space: Space) -> str:
    """Make a space the current one of the profile and return the sentence that says so."""
    from todo_cli.cli.render.escape import escape
    from todo_cli.settings.settings_file import save_profile

    save_profile(session.settings.profile, {"space": None if space.personal else space.id})
    return escape(f"The current space is {space.name}.")


def _forget(session: Session, space: Space) -> None:
    """Return to the personal space where the profile's current space is gone."""
    from todo_cli.cli.render import text
    from todo_cli.settings.settings_file import save_profile

    if session.settings.space == space.id:
        save_profile(session.settings.profile, {"space": None})
        text.note("The current space is your personal one.")


def _print_space(session: Session, did: str, space: Space, as_json: bool) -> None:
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(space)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    text.write(escape(f"{did} {space.name}." if not did.endswith(":") else f"{did} {space.name}"))


def _mark(session: Session, space: Space) -> str:
    current = session.settings.space
    return "*" if current == space.id or (current is None and space.personal) else ""
