"""Migrate a database and check its schema."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import Invalid
from todo_cli.settings.settings import Settings

PANEL = "Operate"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Migrate a database and check its schema.")


@app.command()
def migrate(
    ctx: typer.Context,
    end_sessions: Annotated[
        bool, typer.Option("--end-sessions", help="End sessions that idle in a transaction and are in the way.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Migrate the database to this release's schema, as its owner. Older servers can keep running.

    TODO_OWNER_URL=postgresql://postgres@db/todo todo db migrate

    todo db migrate --end-sessions --json
    """
    from todo_cli.db.migrate import migrate as run

    schema = run(owner_url(session_of(ctx)), end_sessions=end_sessions)
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(schema._asdict())
    else:
        text.write(f"The schema is at version {schema.version} (revision {schema.revision}).")
        text.write(f"It serves clients of version {schema.oldest} and later.")


@app.command()
def status(ctx: typer.Context, as_json: Json = False) -> None:
    """Show the schema versions of the database and of this release.

    todo db status

    todo db status --json
    """
    from todo_cli.db.migrate import status as run
    from todo_cli.db.schema_version import SCHEMA_VERSION

    schema = run(owner_url(session_of(ctx)))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(schema._asdict() | {"wanted": SCHEMA_VERSION, "current": schema.current})
        return
    text.write(f"database   revision {schema.revision or 'none'}, version {schema.version or 'none'}")
    text.write(f"release    revision {schema.head}, version {SCHEMA_VERSION}")
    text.write("up to date" if schema.current else "out of date; update with: todo db migrate")


@app.command()
def check(ctx: typer.Context) -> None:
    """Compare the database's tables with this release's, column by column. Exit with 1 if they differ.

    Name a pooler in front of the database, which `todo db` should pass by.

    todo db check

    TODO_OWNER_URL=postgresql://postgres@db/todo todo db check
    """
    from todo_cli.db.migrate import differences

    url = owner_url(session_of(ctx))
    _warn_about_pooler(url)
    lines = differences(url)
    for line in lines:
        text.write(line)
    if lines:
        raise typer.Exit(1)
    text.write("The tables match this release.")


def _warn_about_pooler(url: str) -> None:
    import asyncio

    from todo_cli.db.pooler import find_pooler

    if pooler := asyncio.run(find_pooler(url)):
        text.note(f"todo: TODO_OWNER_URL leads through {pooler}; give it the database's own address")


@app.command()
def password(
    ctx: typer.Context,
    login: Annotated[Literal["todo_server", "todo_worker"], typer.Argument(help="Database login.")],
) -> None:
    """Set the password of a service's login, read from a prompt or stdin. Only a SCRAM verifier is sent.

    todo db password todo_server < password.txt

    openssl rand -base64 24 | tee server.password | todo db password todo_server
    """
    from todo_cli.cli.prompts import read_secret
    from todo_cli.db.owner import open_owner_session

    session = session_of(ctx)
    value = read_secret(session, f"Password for {login}: ", noun="password")
    with open_owner_session(owner_url(session)) as work:
        work.set_password(login, value)
    text.write(f"Set the password of {login}.")


@app.command()
def sweep(ctx: typer.Context, as_json: Json = False) -> None:
    """Remove attachments that nobody can reach: abandoned uploads, and files removed weeks ago.

    todo db sweep

    TODO_STORE_BUCKET=attachments todo db sweep
    """
    import asyncio

    session = session_of(ctx)
    removed = asyncio.run(_sweep(owner_url(session), session.settings))
    if as_json:
        from todo_cli.cli.render import json

        json.write_document({"removed": removed})
        return
    text.write(f"Removed {removed:,} files.")


async def _sweep(url: str, settings: Settings) -> int:
    from todo_cli.core.attachments.sweep import sweep_attachments
    from todo_cli.db.pipeline import connect
    from todo_cli.server.attachment_routes import open_object_store

    connection = await connect(url)
    try:
        return await sweep_attachments(connection, open_object_store(settings), settings.store_retention_days)
    finally:
        await connection.close()


def owner_url(session: Session) -> str:
    """Return the database owner's URL from the settings, or that of the profile's local Postgres; raises Invalid."""
    settings = session.settings
    if settings.serve_owner_url is not None:
        return settings.serve_owner_url.reveal()
    from pathlib import Path

    from todo_cli.local_postgres.cluster import LocalPostgres

    # a profile of another list must not lead to the local Postgres of this machine
    is_local = settings.embedded or not (settings.server or settings.database_url)
    postgres = LocalPostgres(Path(settings.embedded) if settings.embedded else None)
    if not is_local or not postgres.exists():
        raise Invalid("no owner URL is configured", hint="set TODO_OWNER_URL=postgresql://owner@host/database")
    postgres.start()
    return postgres.owner_url()
