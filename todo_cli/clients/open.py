"""Open the client that the settings name."""

from __future__ import annotations

from todo_cli.clients.base import Backend
from todo_cli.errors import NotSignedIn
from todo_cli.settings.settings import Settings


def open_backend(settings: Settings) -> Backend:
    """The backend that the settings name; raises NotSignedIn when they name none."""
    if settings.server:
        from todo_cli.clients.http import HttpBackend

        return HttpBackend(settings)
    if settings.database_url or settings.embedded:
        from todo_cli.clients.direct import DirectBackend

        return DirectBackend(settings)
    raise NotSignedIn(
        "no server and no database are configured", hint="start with: todo init (a list of your own) or todo login"
    )
