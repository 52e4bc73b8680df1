"""Run a worker, which sends reminders and webhooks, and titles conversations."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from todo_cli.cli.render import text
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import Unavailable
from todo_cli.settings.settings import Settings

if TYPE_CHECKING:
    from todo_cli.jobs.worker import Worker

PANEL = "Operate"
app = typer.Typer(add_completion=False)


@app.command()
def worker(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Run the jobs that are due, then exit.")] = False,
) -> None:
    """Run a worker, which sends reminders and webhooks. Any number can run over one database.

    With a model it also titles conversations whose process ended before it could.
    With the login of the servers too, it continues turns whose servers have died.

    TODO_WORKER_DATABASE_URL=postgresql://todo_worker@db/todo todo worker

    todo worker --once
    """
    from todo_cli.jobs.options import read_options
    from todo_cli.jobs.worker import Worker

    session = session_of(ctx)
    running = Worker(find_database_url(session), read_options(session.settings))
    if once:
        count = asyncio.run(running.run_once())
        text.write(f"Ran {count:,} job{'' if count == 1 else 's'}.")
        return
    text.note("todo worker: waiting for jobs; stop with Ctrl-C")
    asyncio.run(_run_until_signal(running, session.settings))


async def _run_until_signal(running: Worker, settings: Settings) -> None:
    from todo_cli.jobs.kinds import has_model
    from todo_cli.jobs.turns import WorkerTurns

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.stop)
    if settings.serve_database_url is None or not has_model(settings):
        await running.run()
        return
    turns = WorkerTurns(settings.serve_database_url.reveal(), settings)
    await turns.start()
    try:
        await running.run()
    finally:
        await turns.stop()


def find_database_url(session: Session) -> str:
    """Return the URL of the worker's login from the settings, or that of the local Postgres; raises TodoError."""
    settings = session.settings
    if settings.worker_database_url is None:
        return prepare_local_login(session)
    from todo_cli.db.login_check import refuse_owner

    url = settings.worker_database_url.reveal()
    refuse_owner(url)
    return url


def prepare_local_login(session: Session) -> str:
    """Give the worker's login of the local Postgres its password, and return its URL."""
    from pathlib import Path

    from todo_cli.contract.base import Secret
    from todo_cli.db.owner import open_owner_session
    from todo_cli.local_postgres.cluster import LocalPostgres

    home = session.settings.embedded
    postgres = LocalPostgres(Path(home) if home else None)
    if not postgres.exists():
        raise Unavailable(
            "no database is configured",
            hint="set TODO_WORKER_DATABASE_URL with the login todo_worker, or create a local database: todo init",
        )
    postgres.start()
    password = postgres.secret("worker")
    with open_owner_session(postgres.owner_url()) as work:
        work.set_password("todo_worker", Secret(password))
    return postgres.url("todo_worker", password)
