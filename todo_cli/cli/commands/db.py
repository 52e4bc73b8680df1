"""Migrate a database and check its schema."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import Invalid

PANEL = "Operate"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Migrate a database and look at its schema.")


@app.command()
def migrate(ctx: typer.Context, as_json: Json = False) -> None:
    """Bring the database to this release's schema, as its owner; safe while older servers still run.

    TODO_OWNER_URL=postgresql://postgres@db/todo todo db migrate

    todo db migrate --json
    """
    from todo_cli.db.migrate import migrate as run

    found = run(owner_url(session_of(ctx)))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(found._asdict())
    else:
        text.write(
            f"The schema is at version {found.version} (revision {found.revision}), for clients from {found.oldest} on."
        )


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Say which schema the database has, and which this release wants; changes nothing.

    todo db status

    todo db status --json
    """
    from todo_cli.db.migrate import status as run
    from todo_cli.db.schema_version import SCHEMA_VERSION

    found = run(owner_url(session_of(ctx)))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(found._asdict() | {"wanted": SCHEMA_VERSION, "current": found.current})
        return
    text.write(f"database   revision {found.revision or 'none'}, version {found.version or 'none'}")
    text.write(f"release    revision {found.head}, version {SCHEMA_VERSION}")
    text.write("up to date" if found.current else "behind: todo db migrate")


@app.command()
def check(ctx: typer.Context) -> None:
    """Compare the database's tables with this release's, column by column; 1 where they differ.

    todo db check

    TODO_OWNER_URL=postgresql://postgres@db/todo todo db check
    """
    from todo_cli.db.migrate import differences

    found = differences(owner_url(session_of(ctx)))
    for line in found:
        text.write(line)
    if found:
        raise typer.Exit(1)
    text.write("The tables are as they should be.")


@app.command()
def password(
    ctx: typer.Context,
    login: Annotated[Literal["todo_server", "todo_worker"], typer.Argument(help="Which login.")],
) -> None:
    """Give a service's login a password, from a prompt or on stdin; only its SCRAM verifier travels.

    todo db password todo_server < password.txt

    openssl rand -base64 24 | tee server.password | todo db password todo_server
    """
    from todo_cli.cli.prompts import read_secret
    from todo_cli.db.owner import open_owner_session

    session = session_of(ctx)
    value = read_secret(session, f"Password for {login}: ")
    with open_owner_session(owner_url(session)) as work:
        work.set_password(login, value)
    text.write(f"{login} has a new password.")


def owner_url(session: Session) -> str:
    """The owner's address: from the settings, else of the embedded Postgres; raises Invalid."""
    if session.settings.serve_owner_url is not None:
        return session.settings.serve_owner_url.reveal()
    from pathlib import Path

    from todo_cli.local_postgres.cluster import LocalPostgres

    named = session.settings.embedded
    embedded = LocalPostgres(Path(named) if named else None)
    if not embedded.exists():
        raise Invalid("there is no owner's address", hint="set TODO_OWNER_URL=postgresql://owner@host/database")
    embedded.start()
    return embedded.owner_url()
