"""Open the client that the settings name."""

from __future__ import annotations

from todo_cli.clients.base import Client
from todo_cli.errors import NotSignedIn
from todo_cli.settings.settings import Settings


def open_client(settings: Settings) -> Client:
    """The backend that the settings name; raises NotSignedIn when they name none."""
    if settings.server:
        from todo_cli.clients.http import HttpClient

        return HttpClient(settings)
    if settings.database_url or settings.embedded:
        from todo_cli.clients.direct import DirectClient

        return DirectClient(settings)
    raise NotSignedIn(
        "no server and no database are configured", hint="start with: todo init (a list of your own) or todo login"
    )
