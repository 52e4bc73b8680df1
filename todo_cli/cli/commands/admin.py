"""Manage users and invitations, and show figures."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import typer

from todo_cli.cli.commands.admin_accounts import invitation, reset_password
from todo_cli.cli.commands.admin_limit import limit
from todo_cli.cli.commands.admin_stats import stats
from todo_cli.cli.commands.admin_user_data import erase, export
from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.usage import SetBudget
from todo_cli.contract.users import AddUser, DisableUser, ListUsers, User
from todo_cli.errors import Conflict

PANEL = "Operate"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Manage users and invitations, and show figures.")
user = typer.Typer(no_args_is_help=True, help="Add, list, disable and enable users, set limits and reset passwords.")
app.add_typer(user, name="user")
app.add_typer(invitation, name="invitation")
user.command("reset-password")(reset_password)
user.command()(export)
user.command()(erase)
user.command()(limit)
app.command()(stats)

UserName = Annotated[str, typer.Argument(help="The user's name.", metavar="NAME")]


@app.callback()
def admin() -> None:
    """Manage users and invitations, and show figures."""


@user.command()
def add(
    ctx: typer.Context,
    name: UserName,
    is_admin: Annotated[bool, typer.Option("--admin", help="Allow the user to manage users.")] = False,
    as_owner: Annotated[
        bool,
        typer.Option("--as-owner", help="Act as the database's owner (TODO_OWNER_URL): for the first administrator."),
    ] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Create a database login too, as the database's owner.")
    ] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Add a user and print the user's first token, which is shown only once.

    todo admin user add grace

    TODO_OWNER_URL=postgresql://db/todo todo admin user add ada --admin --as-owner
    """
    session = session_of(ctx)
    if direct or as_owner:
        place, added = _add_as_owner(session, name, is_admin=is_admin, has_login=direct)
    else:
        place, added = _add(session, name, is_admin, key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(added)
        return
    _print_added(name, place, added)


def _print_added(name: str, place: str, added: dict[str, Any]) -> None:
    """Print a lone token as it is, for `todo login < FILE`, and two secrets under their names."""
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    secrets = "token and database URL" if "database_url" in added else "token"
    text.note(escape(f"Added {name} to {place}. Send the {secrets} to {name} in private; it will not be shown again:"))
    if "database_url" in added:
        from shlex import quote

        text.write(f"TODO_TOKEN={added['token']}")
        text.write(f"TODO_DATABASE_URL={quote(added['database_url'])}")
    else:
        text.write(added["token"])


def _add(session: Session, name: str, is_admin: bool, key: str | None) -> tuple[str, dict[str, Any]]:
    import msgspec

    _raise_for_two_databases(session)
    user_id = new_id()
    token = new_token(user_id)
    request = AddUser(id=user_id, name=name, token_id=new_id(), token_hash=token_hash(token), admin=is_admin)
    added: dict[str, Any] = msgspec.to_builtins(session.send(request, key))
    return _describe_target(session), added | {"token": token.reveal()}


def _add_as_owner(session: Session, name: str, *, is_admin: bool, has_login: bool) -> tuple[str, dict[str, Any]]:
    from secrets import token_urlsafe

    from todo_cli.cli.commands.db import owner_url
    from todo_cli.db.owner import open_owner_session
    from todo_cli.db.urls import as_login, describe_database
    from todo_cli.parsing.system_zone import system_zone

    address, password = owner_url(session), Secret(token_urlsafe(24))
    with open_owner_session(address) as work:
        if work.find_user(name):
            raise Conflict("a user with this name already exists", hint="see: todo admin user list")
        user_id, token = work.create_user(name, admin=is_admin, zone=session.settings.timezone or system_zone())
        login = work.create_login(user_id, password) if has_login else None
    added = {"id": user_id, "name": name, "admin": is_admin, "login": login, "token": token.reveal()}
    if login:
        added["database_url"] = as_login(address, login, password.reveal())
    return describe_database(address), added


def _describe_target(session: Session) -> str:
    """Return the server or the database of the profile, for messages."""
    settings = session.settings
    if settings.server:
        return settings.server
    if settings.embedded:
        return f"the local list in {settings.embedded}"
    from todo_cli.db.urls import describe_database

    return describe_database(settings.database_url.reveal()) if settings.database_url else "no list"


def _raise_for_two_databases(session: Session) -> None:
    """Raise Conflict where the profile and the owner URL are different databases, and the user may mean either."""
    from todo_cli.db.urls import describe_database, read_place

    settings = session.settings
    if settings.serve_owner_url is None or settings.server:
        return
    if settings.database_url is None:
        raise Conflict("you are not signed in to the list", hint="act as the owner of its database with: --as-owner")
    owner = settings.serve_owner_url.reveal()
    if read_place(owner) != read_place(settings.database_url.reveal()):
        raise Conflict(
            f"TODO_OWNER_URL is {describe_database(owner)}, and the profile {settings.profile!r} is"
            f" {_describe_target(session)}",
            hint="add --as-owner for the first, or unset TODO_OWNER_URL for the second",
        )


@user.command("list")
def list_users(ctx: typer.Context, as_json: Json = False) -> None:
    """List all users.

    todo admin user list

    todo admin user list --json
    """
    session = session_of(ctx)
    page = session.send(ListUsers())
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(page)
        return
    from todo_cli.cli.render.rows import print_rows

    headings = ("Name", "Role", "Login", "Added", "State", "Requests/min", "Turns/min")
    print_rows(session, headings, [_row(user) for user in page.users], nothing="No users yet.")


def _row(user: User) -> tuple[str | datetime, ...]:
    state = f"disabled {user.disabled_at:%Y-%m-%d}" if user.disabled_at else ""
    role = "administrator" if user.admin else ""
    limits = [f"{count:,}" if count else "any" for count in (user.requests_per_minute, user.turns_per_minute)]
    return user.name, role, user.login or "", user.created_at, state, *limits


@user.command()
def disable(ctx: typer.Context, name: UserName, key: Key = None) -> None:
    """Disable a user. Their tokens stop working immediately; their tasks stay.

    todo admin user disable ada

    todo admin user disable ada --key offboarding-ada
    """
    _set_disabled(session_of(ctx), name, True, key)


@user.command()
def enable(ctx: typer.Context, name: UserName, key: Key = None) -> None:
    """Enable a disabled user.

    todo admin user enable ada

    todo admin user enable ada --key back-ada
    """
    _set_disabled(session_of(ctx), name, False, key)


@user.command()
def budget(
    ctx: typer.Context,
    name: UserName,
    tokens_per_day: Annotated[
        str,
        typer.Option("--tokens-per-day", help="Model tokens per day, such as 200k; '' for no limit.", metavar="TOKENS"),
    ],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Limit the model tokens that a user may spend in 24 hours.

    todo admin user budget ada --tokens-per-day 200000

    todo admin user budget ada --tokens-per-day ''
    """
    from todo_cli.cli.options import parse_token_count

    allowed = parse_token_count(tokens_per_day) if tokens_per_day else None
    changed = session_of(ctx).send(SetBudget(name=name, tokens_per_day=allowed), key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(changed)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    budget = "no daily token limit" if allowed is None else f"a budget of {allowed:,} tokens in any 24 hours"
    text.write(escape(f"{changed.name} has {budget}."))


def _set_disabled(session: Session, name: str, disabled: bool, key: str | None) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    changed = session.send(DisableUser(name=name, disabled=disabled), key)
    text.write(escape(f"{'Disabled' if changed.disabled_at else 'Enabled'} {changed.name}."))
