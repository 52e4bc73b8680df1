"""Create a list on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from todo_cli.cli import init_service
from todo_cli.cli.init_upgrade import upgrade_postgres
from todo_cli.cli.options import Json
from todo_cli.cli.prompts import ask_yes_no
from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.contract.base import Secret
from todo_cli.errors import Conflict, Invalid, TodoError
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.local_service.boot import uninstall_boot_entry
from todo_cli.settings.settings import Settings

PANEL = "Account"
app = typer.Typer(add_completion=False)

ServiceFlag = Annotated[
    bool | None,
    typer.Option("--service/--no-service", help="Keep a service running that is faster and sends reminders."),
]
InstallService = Annotated[
    bool, typer.Option("--install-service", help="Start the service at boot, by systemd or launchd.")
]
UninstallService = Annotated[
    bool, typer.Option("--uninstall-service", help="Start the service with the first command again.")
]
UpgradeFlag = Annotated[
    bool, typer.Option("--upgrade", help="Bring the data to the major version of the installed Postgres.")
]
OldBin = Annotated[
    Path | None,
    typer.Option(help="With --upgrade: the bin directory of the old Postgres, if it is no longer here."),
]
CopyFiles = Annotated[
    bool, typer.Option("--copy-files", help="With --upgrade: use pg_upgrade, which is faster for much data.")
]


@app.command()
def init(
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Option(help="Your user name in the list; by default your account's name.")
    ] = None,
    status: Annotated[bool, typer.Option("--status", help="Show the state of the local database.")] = False,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the local database; the next command starts it.")] = False,
    service: ServiceFlag = None,
    install_service: InstallService = False,
    uninstall_service: UninstallService = False,
    upgrade: UpgradeFlag = False,
    old_bin: OldBin = None,
    copy_files: CopyFiles = False,
    destroy: Annotated[bool, typer.Option("--destroy", help="Delete the local database and every task in it.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm --destroy.")] = False,
    as_json: Json = False,
) -> None:
    """Create a list on this machine: a Postgres in your data directory, a user for you, and the settings to reach it.

    A small service beside the database makes commands faster and sends reminders.

    todo init

    todo init --status
    """
    if status + stop + upgrade + destroy + install_service + uninstall_service > 1:
        raise Invalid("--status, --stop, --upgrade, --destroy and --(un)install-service cannot be used together")
    if (old_bin or copy_files) and not upgrade:
        raise Invalid("--old-bin and --copy-files need --upgrade")
    session = session_of(ctx)
    postgres = _local_postgres(session)
    if status:
        _print_status(session, postgres, as_json=as_json)
    elif stop:
        has_stopped = [init_service.place_of(session, postgres).stop(), postgres.stop()]
        text.write("Stopped." if any(has_stopped) else "It was not running.")
    elif upgrade:
        init_service.place_of(session, postgres).stop()
        upgrade_postgres(session, postgres, old_bin, copy_files=copy_files, migrate=_migrate)
        init_service.start_service(session)
    elif destroy:
        _destroy(session, postgres, yes=yes)
    elif install_service:
        init_service.install_service(session, postgres)
    elif uninstall_service:
        init_service.uninstall_service(session)
    else:
        _init(session, postgres, name, service=service, as_json=as_json)


def _local_postgres(session: Session) -> LocalPostgres:
    """Return that of TODO_HOME, else that of the profile, else the default one."""
    embedded = session.create_profile().embedded
    return LocalPostgres(Path(embedded) if embedded and not os.environ.get("TODO_HOME") else None)


def _init(session: Session, postgres: LocalPostgres, name: str | None, *, service: bool | None, as_json: bool) -> None:
    _create_list(session, postgres, name, as_json=as_json)
    if service is not None:
        init_service.switch_service(session, postgres, is_on=service)
    init_service.start_service(session)


def _create_list(session: Session, postgres: LocalPostgres, name: str | None, *, as_json: bool) -> None:
    settings = session.settings
    if (settings.server or settings.database_url) and not settings.embedded:
        raise Conflict(
            f"the profile {settings.profile!r} already uses {settings.server or 'another database'}",
            hint="create the list under another profile: todo --profile NAME init",
        )
    _raise_for_another_list(settings, postgres)
    if settings.embedded and postgres.exists() and _can_sign_in(session):
        text.write(f"Your list already exists in {postgres.home} and works.")
        return
    postgres.ensure(text.note)
    _migrate(postgres)
    if settings.embedded and _can_sign_in(session):  # an upgrade had left the schema behind
        text.write(f"Your list in {postgres.home} works.")
        return
    values = _create_user(postgres, name or _account_name())
    from todo_cli.settings.settings_file import save_profile

    path = save_profile(settings.profile, values)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document({"home": str(postgres.home), "config": str(path)})
        return
    text.write(f"Your list is ready. Its database is in {postgres.home}, your settings are in {path}.")
    text.write("Add a task: todo add 'Buy milk' --due tomorrow")
    text.write("List tasks: todo")


def _raise_for_another_list(settings: Settings, postgres: LocalPostgres) -> None:
    """Raise Conflict where TODO_HOME names another directory than the profile, whose list still exists."""
    if not settings.embedded:
        return
    existing = LocalPostgres(Path(settings.embedded))
    if existing.home != postgres.home and existing.exists():
        raise Conflict(
            f"the profile {settings.profile!r} uses the list in {existing.home}, and TODO_HOME names {postgres.home}",
            hint="unset TODO_HOME, or create the other list under its own profile: todo --profile NAME init",
        )


def _can_sign_in(session: Session) -> bool:
    from todo_cli.contract.users import WhoAmI

    try:
        session.send(WhoAmI())
    except TodoError:
        return False
    return True


def _migrate(postgres: LocalPostgres) -> None:
    from todo_cli.db.migrate import migrate

    text.note("Creating the tables …")
    migrate(postgres.owner_url())


def _create_user(postgres: LocalPostgres, name: str) -> dict[str, Any]:
    """Create the user and their login, and return the values of the profile.

    The zone of the machine becomes the user's preference, which applies on every machine.
    """
    from todo_cli.db.owner import open_owner_session
    from todo_cli.parsing.system_zone import system_zone

    password = Secret(postgres.secret(f"login-{name}"))
    with open_owner_session(postgres.owner_url()) as work:
        user_id = work.find_user(name)
        if user_id is None:
            user_id, token = work.create_user(name, admin=True, zone=system_zone())
        else:
            token = work.create_token(user_id, "init")
        login = work.create_login(user_id, password)
        work.set_password("todo_server", Secret(postgres.secret("server")))
    url = postgres.url(login, password.reveal())
    return {"embedded": str(postgres.home), "database_url": url, "token": token.reveal()}


def _account_name() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "me"


def _print_status(session: Session, postgres: LocalPostgres, *, as_json: bool) -> None:
    status = postgres.status()._asdict()
    service = init_service.read_service_status(session, postgres)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(
            {
                name: str(value) if value is not None and not isinstance(value, int) else value
                for name, value in status.items()
            }
            | {"service": service}
        )
        return
    if not status["exists"]:
        text.write("There is no local database. Create one with: todo init")
        return
    state, process = ("running", f" (process {status['running']})") if status["running"] else ("stopped", "")
    text.write(
        f"Postgres {status['version']} in {status['home']}: {state}, {status['size'] / 1_000_000:,.0f} MB{process}"
    )
    init_service.print_service_status(service)


def _destroy(session: Session, postgres: LocalPostgres, *, yes: bool) -> None:
    if not postgres.exists():
        text.write("There is no local database to delete.")
        return
    question = f"Delete the database in {postgres.home} with every task in it? This cannot be undone."
    if not ask_yes_no(session, question, yes=yes, flag="--yes"):
        text.write("Nothing was deleted.")
        return
    uninstall_boot_entry(session.settings)
    init_service.place_of(session, postgres).remove()
    postgres.destroy()
    from todo_cli.settings.settings_file import save_profile

    save_profile(session.settings.profile, dict.fromkeys(("embedded", "database_url", "token", "service"), None))
    text.write("Deleted the local database.")
