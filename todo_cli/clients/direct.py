"""Straight to the database, as the person's own login."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from todo_cli.clients.base import idempotency_key, possibly_done_note
from todo_cli.contract.base import Caller, Request
from todo_cli.contract.codec import checked
from todo_cli.core.registry import handle
from todo_cli.db.transaction import ConnectionLost, Transaction, connect, within
from todo_cli.errors import Unavailable
from todo_cli.settings.settings import Settings

R = TypeVar("R")

TRIES = 4
TRIES_AFTER_LOSS = 7  # a restart takes a few seconds; what was lost must be asked for again


class DirectClient:
    """One connection, made when first needed; a lost one is replaced and the request repeated with its key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = settings.signed_in()
        self._connection: Any = None
        self._runner: asyncio.Runner | None = None

    def send_now(self, request: Request[R], key: str | None = None) -> R:
        """As `send`, from code without an event loop."""
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(self.send(request, key))

    async def send(self, request: Request[R], key: str | None = None) -> R:
        """The answer; raises TodoError. Waits at most the configured time in all."""
        checked(request)
        caller = Caller(
            token=self._token,
            space=self._settings.space,
            zone=self._settings.timezone,
            key=idempotency_key(request, key),
        )
        try:
            async with within(self._settings.timeout):
                return await self._tried(request, caller)
        except TimeoutError:
            doubt = possibly_done_note(request, caller.key)
            raise Unavailable(f"the database gave no answer in {self._settings.timeout:g} s{doubt}") from None

    async def _tried(self, request: Request[R], caller: Caller) -> R:
        lost = False
        for attempt in range(TRIES_AFTER_LOSS):
            try:
                connection = await self._connected()
                return await handle(Transaction(connection, caller, type(request)), request)
            except Unavailable as error:
                again = lost or self._settings.embedded is not None
                if not again or attempt >= (TRIES_AFTER_LOSS if lost else TRIES) - 1:
                    note = possibly_done_note(request, caller.key) if lost else ""
                    raise Unavailable(error.detail + note, hint=error.hint, **error.extra) from error
            except ConnectionLost as error:
                lost = True
                if attempt == TRIES_AFTER_LOSS - 1:
                    raise Unavailable(error.detail + possibly_done_note(request, caller.key)) from error
            self._connection = None
            await asyncio.sleep(0.1 * 2**attempt)
        raise AssertionError("the last try returns or raises")

    async def _connected(self) -> Any:
        if self._connection is None or self._connection.closed:
            if self._settings.embedded:
                await asyncio.to_thread(self._start_embedded)
            url = self._settings.database_url
            if url is None:
                raise Unavailable("the profile has no database_url", hint="make one with: todo init")
            self._connection = await connect(url.reveal())
        return self._connection

    def _start_embedded(self) -> None:
        from pathlib import Path

        from todo_cli.local_postgres.cluster import LocalPostgres

        LocalPostgres(Path(self._settings.embedded or "")).start()

    async def leave(self) -> None:
        """Close the connection, in the event loop that made it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def close(self) -> None:
        """Close the connection and the event loop."""
        if self._runner is not None:
            if self._connection is not None:
                self._runner.run(self._connection.close())
            self._runner.close()
        self._connection = self._runner = None
