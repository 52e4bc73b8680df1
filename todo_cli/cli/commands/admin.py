"""Manage users."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.options import Json, Key
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.base import Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.contract.usage import SetBudget
from todo_cli.contract.users import AddUser, DisableUser, ListUsers, User
from todo_cli.errors import Conflict

PANEL = "Operate"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Manage people.")
user = typer.Typer(no_args_is_help=True, help="Add, list, disable and enable people.")
app.add_typer(user, name="user")


@app.callback()
def admin() -> None:
    """Manage people."""


@user.command()
def add(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The person's name.", metavar="NAME")],
    is_admin: Annotated[bool, typer.Option("--admin", help="May manage people too.")] = False,
    direct: Annotated[
        bool, typer.Option("--direct", help="Also a database login of their own (full rights only).")
    ] = False,
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Add a person: their first token is shown this once. --direct works as the database's owner.

    todo admin user add ada

    todo admin user add grace --direct --json
    """
    session = session_of(ctx)
    made = _add_direct(session, name, is_admin) if direct else _add(session, name, is_admin, key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(made)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    text.note(escape(f"Added {name}. What follows is shown only now; hand it over privately:"))
    text.write(made["token"])
    if direct:
        text.write(made["database_url"])


def _add(session: Session, name: str, is_admin: bool, key: str | None) -> dict[str, Any]:
    import msgspec

    user_id = new_id()
    token = new_token(user_id)
    request = AddUser(id=user_id, name=name, token_id=new_id(), token_hash=token_hash(token), admin=is_admin)
    made: dict[str, Any] = msgspec.to_builtins(session.send(request, key))
    return made | {"token": token.reveal()}


def _add_direct(session: Session, name: str, is_admin: bool) -> dict[str, Any]:
    from secrets import token_urlsafe

    from todo_cli.cli.commands.db import owner_url
    from todo_cli.db.owner import open_owner_session
    from todo_cli.db.urls import as_login

    address, password = owner_url(session), Secret(token_urlsafe(24))
    with open_owner_session(address) as work:
        if work.find_user(name):
            raise Conflict("there is already a person of that name")
        user_id, token = work.create_user(name, admin=is_admin, zone=session.settings.timezone)
        login = work.create_login(user_id, password)
    url = as_login(address, login, password.reveal())
    return {
        "id": user_id,
        "name": name,
        "admin": is_admin,
        "login": login,
        "token": token.reveal(),
        "database_url": url,
    }


@user.command("list")
def list_users(ctx: typer.Context, as_json: Json = False) -> None:
    """List everybody.

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

    print_rows(session, ("Name", "Role", "Login", "Added", "State"), [_row(one) for one in page.users])


def _row(one: User) -> tuple[str, ...]:
    state = f"disabled {one.disabled_at:%Y-%m-%d}" if one.disabled_at else ""
    return one.name, "administrator" if one.admin else "", one.login or "", f"{one.created_at:%Y-%m-%d}", state


@user.command()
def disable(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="The person's name.", metavar="NAME")], key: Key = None
) -> None:
    """Shut a person out: their tokens are refused from the next request on. Their tasks stay.

    todo admin user disable ada

    todo admin user disable ada --key offboarding-ada
    """
    _set(session_of(ctx), name, True, key)


@user.command()
def enable(
    ctx: typer.Context, name: Annotated[str, typer.Argument(help="The person's name.", metavar="NAME")], key: Key = None
) -> None:
    """Let a disabled person in again.

    todo admin user enable ada

    todo admin user enable ada --key back-ada
    """
    _set(session_of(ctx), name, False, key)


@user.command()
def budget(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The person's name.", metavar="NAME")],
    tokens_per_day: Annotated[
        str, typer.Option("--tokens-per-day", help="How many tokens of the models; '' for no limit.", metavar="TOKENS")
    ],
    key: Key = None,
    as_json: Json = False,
) -> None:
    """Say how much of the models a person may use in a day, which ends at their own midnight.

    todo admin user budget ada --tokens-per-day 200000

    todo admin user budget ada --tokens-per-day ''
    """
    from todo_cli.cli.options import parse_token_count

    many = parse_token_count(tokens_per_day) if tokens_per_day else None
    one = session_of(ctx).send(SetBudget(name=name, tokens_per_day=many), key)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(one)
        return
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    said = "as many tokens as they like" if many is None else f"{many:,} tokens a day"
    text.write(escape(f"{one.name} may use {said}."))


def _set(session: Session, name: str, disabled: bool, key: str | None) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    one = session.send(DisableUser(name=name, disabled=disabled), key)
    text.write(escape(f"{one.name} is {'disabled' if one.disabled_at else 'enabled'}."))
