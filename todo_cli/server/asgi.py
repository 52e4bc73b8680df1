"""The application for any ASGI server: `todo_cli.server.asgi:app`. It needs no lifespan and no warm-up."""

from __future__ import annotations

from functools import cache

from starlette.types import ASGIApp, Receive, Scope, Send

from todo_cli.db.login_check import refuse_owner
from todo_cli.server.app import create_app
from todo_cli.settings.settings import Settings, load_settings


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one ASGI request by the settings of the environment; raises TodoError where they are wrong."""
    await _read_app()(scope, receive, send)


@cache
def _read_app() -> ASGIApp:
    return create_checked_app(load_settings())


def create_checked_app(settings: Settings) -> ASGIApp:
    """Return the application; raises NotAllowed for a database login that bypasses row-level security."""
    application = create_app(settings)
    if settings.serve_database_url:
        refuse_owner(settings.serve_database_url.reveal())
    return application
