"""The client of a local list: through its service where that answers, else straight to its Postgres.

Both ways send the same idempotency key, so that a request whose answer the service took with it is done once. A token
that the database accepts only from a server (another user's, or one of fewer scopes) waits until a service has started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from todo_cli.clients.base import idempotency_key
from todo_cli.clients.http import HttpClient, PreparedRequest
from todo_cli.clients.http_once import NotConnected, ResponseLost
from todo_cli.contract.base import Request
from todo_cli.contract.clock import Clock
from todo_cli.contract.display import NO_DISPLAY_PREFERENCES
from todo_cli.errors import Invalid, NotAllowed, Unavailable
from todo_cli.local_service.places import address_service, find_socket
from todo_cli.settings.settings import Settings

if TYPE_CHECKING:
    from todo_cli.clients.direct import DirectClient

R = TypeVar("R")

MAX_ANSWER_SECONDS = 10.0
"""A service that has not answered by then is left alone, and the request goes direct."""
SERVICE_FAULTS = (NotConnected, ResponseLost, Unavailable)


class LocalServiceClient:
    """Sends each Request to the local service. Where none answers, it goes direct and starts one for later commands."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._http = HttpClient(address_service(settings))
        self._seconds = min(MAX_ANSWER_SECONDS, settings.timeout / 2)
        self._direct: DirectClient | None = None
        self._is_away = False
        self.clock: Clock | None = None
        self.display = NO_DISPLAY_PREFERENCES

    def send_now(self, request: Request[R], key: str | None = None) -> R:
        """Return the answer of the service or of the database; raises TodoError."""
        key = idempotency_key(request, key)
        if prepared := self._prepare(request, key):
            try:
                return self._keep_clock(self._http, self._http.send_prepared_now(prepared, request, self._seconds))
            except SERVICE_FAULTS:
                self._is_away = True
        direct = self._open_direct()
        try:
            return self._keep_clock(direct, direct.send_now(request, key))
        except NotAllowed as error:
            if not self._needs_service(error, request):
                raise
        finally:
            self._start_service()
        self._wait_for_service()
        return self._keep_clock(self._http, self._http.send_now(request, key))

    async def send(self, request: Request[R], key: str | None = None, fences: tuple[int, ...] = ()) -> R:
        """Do `send_now` from an event loop, over kept connections."""
        import asyncio

        key = idempotency_key(request, key)
        if prepared := self._prepare(request, key, fences):
            try:
                return self._keep_clock(self._http, await self._http.send_prepared(prepared, request, self._seconds))
            except SERVICE_FAULTS:
                self._is_away = True
                await self._http.aclose()
        direct = self._open_direct()
        try:
            return self._keep_clock(direct, await direct.send(request, key, fences))
        except NotAllowed as error:
            if not self._needs_service(error, request):
                raise
        finally:
            self._start_service()
        await asyncio.to_thread(self._wait_for_service)
        return self._keep_clock(self._http, await self._http.send(request, key, fences))

    def _prepare(self, request: Request[Any], key: str | None, fences: tuple[int, ...] = ()) -> PreparedRequest | None:
        """Return the request for the service; None without one, or for a request that only Postgres can take."""
        self._is_away = find_socket(self._settings.embedded or "", self._settings.path) is None
        if self._is_away:
            return None
        try:
            return self._http.prepare(request, key, fences) if request.route else None
        except Invalid:  # larger than a server accepts; anything else is invalid over both ways
            return None

    def _keep_clock(self, client: HttpClient | DirectClient, answer: R) -> R:
        self.clock, self.display = client.clock, client.display
        return answer

    def _open_direct(self) -> DirectClient:
        if self._direct is None:
            from todo_cli.clients.direct import DirectClient

            self._direct = DirectClient(self._settings)
        return self._direct

    def _needs_service(self, error: NotAllowed, request: Request[Any]) -> bool:
        """Return whether a service that starts now can take a request which the database refused."""
        from todo_cli.db.errors import NEEDS_SERVER

        return self._is_away and bool(request.route) and error.detail == NEEDS_SERVER

    def _wait_for_service(self) -> None:
        from todo_cli.local_service.start import wait_for_service

        wait_for_service(self._settings)

    def _start_service(self) -> None:
        if self._is_away:
            from todo_cli.local_service.start import start_in_background

            start_in_background(self._settings)

    async def aclose(self) -> None:
        """Close the connections that `send` opened, in the same event loop."""
        await self._http.aclose()
        if self._direct is not None:
            await self._direct.aclose()

    def close(self) -> None:
        """Close the connection that `send_now` opened to the database."""
        direct, self._direct = self._direct, None
        if direct is not None:
            direct.close()
