"""Open the client that the settings name."""

from __future__ import annotations

from todo_cli.clients.base import Client
from todo_cli.errors import NotSignedIn
from todo_cli.settings.settings import Settings


def open_client(settings: Settings) -> Client:
    """Return an HTTP client for a server, else a client of a local list, else a direct one for a database.

    Raises NotSignedIn without any.
    """
    if settings.server:
        from todo_cli.clients.http import HttpClient

        return HttpClient(settings)
    if settings.embedded:
        from todo_cli.local_service.places import uses_local_service

        if uses_local_service(settings):
            from todo_cli.clients.local_service import LocalServiceClient

            return LocalServiceClient(settings)
    if settings.database_url or settings.embedded:
        from todo_cli.clients.direct import DirectClient

        return DirectClient(settings)
    raise NotSignedIn(
        "no server and no database are configured",
        hint="create a list with: todo init, or sign in to one with: todo login",
    )
