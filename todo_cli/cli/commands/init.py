"""Create a list of your own on this machine."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.prompts import ask_yes_no
from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.base import Secret
from todo_cli.errors import Conflict, Invalid, TodoError
from todo_cli.local_postgres.cluster import LocalPostgres

PANEL = "Account"
app = typer.Typer(add_completion=False)


@app.command()
def init(
    ctx: typer.Context,
    name: Annotated[str | None, typer.Option(help="Your name in the list; your account's name when absent.")] = None,
    status: Annotated[bool, typer.Option("--status", help="Say how the database on this machine is.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop it; the next command starts it again.")] = False,
    destroy: Annotated[bool, typer.Option("--destroy", help="Remove it with everything in it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Answer yes to --destroy.")] = False,
    as_json: Json = False,
) -> None:
    """Make a list of your own: a real Postgres in your data directory, you in it, and the settings to reach it.

    todo init

    todo init --status
    """
    if status + stop + destroy > 1:
        raise Invalid("--status, --stop and --destroy exclude each other")
    embedded = LocalPostgres()
    if status:
        _status(embedded, as_json=as_json)
    elif stop:
        text.write("Stopped." if embedded.stop() else "It was not running.")
    elif destroy:
        _destroy(session_of(ctx), embedded, yes=yes)
    else:
        _init(session_of(ctx), embedded, name, as_json=as_json)


def _init(session: Session, embedded: LocalPostgres, name: str | None, *, as_json: bool) -> None:
    settings = session.make_profile()
    if (settings.server or settings.database_url) and not settings.embedded:
        raise Conflict(
            f"the profile {settings.profile!r} already uses {settings.server or 'a database of its own'}",
            hint="make another one with: todo --profile NAME init",
        )
    if settings.embedded and embedded.exists() and _works(session):
        text.write(f"Nothing to do: your list is in {embedded.home} and works.")
        return
    embedded.ensure(text.note)
    values = _person(embedded, name or _account(), settings.timezone)
    from todo_cli.settings.settings_file import save_profile

    path = save_profile(settings.profile, values)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document({"home": str(embedded.home), "config": str(path)})
        return
    text.write(f"Your list is ready: a Postgres in {embedded.home}, settings in {path}.")
    text.write("Next: todo add 'Buy milk' --due tomorrow")
    text.write("Then: todo")


def _works(session: Session) -> bool:
    from todo_cli.contract.users import WhoAmI

    try:
        session.send(WhoAmI())
    except TodoError:
        return False
    return True


def _person(embedded: LocalPostgres, name: str, timezone: str | None) -> dict[str, Any]:
    """Bring the schema up to date, make the person and their login: the profile's values."""
    from todo_cli.db.migrate import migrate
    from todo_cli.db.owner import open_owner_session
    from todo_cli.parsing.dates import system_zone

    text.note("Preparing the tables …")
    migrate(embedded.owner_url())
    zone = timezone or system_zone()
    password = Secret(embedded.secret(f"login-{name}"))
    with open_owner_session(embedded.owner_url()) as work:
        user_id = work.find_user(name)
        if user_id is None:
            user_id, token = work.create_user(name, admin=True, zone=zone)
        else:
            token = work.create_token(user_id, "init")
        login = work.create_login(user_id, password)
        work.set_password("todo_server", Secret(embedded.secret("server")))
    url = embedded.url(login, password.reveal())
    return {"embedded": str(embedded.home), "database_url": url, "token": token.reveal(), "timezone": zone}


def _account() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "me"


def _status(embedded: LocalPostgres, *, as_json: bool) -> None:
    found = embedded.status()._asdict()
    if as_json:
        from todo_cli.cli.render import json

        json.write_document({name: str(value) if value is not None and not isinstance(value, int) else value
                       for name, value in found.items()})  # fmt: skip
        return
    for name, value in found.items():
        text.write(f"{name.replace('_', ' '):<12}{'-' if value is None else value}")


def _destroy(session: Session, embedded: LocalPostgres, *, yes: bool) -> None:
    if not embedded.exists():
        text.write("There is nothing to destroy.")
        return
    question = f"Remove the Postgres in {embedded.home} with every task, for ever?"
    if not ask_yes_no(session, question, yes=yes, flag="--yes"):
        text.write("Left as it is.")
        return
    embedded.destroy()
    from todo_cli.settings.settings_file import save_profile

    save_profile(session.settings.profile, dict.fromkeys(("embedded", "database_url", "token"), None))
    text.write("Removed.")
