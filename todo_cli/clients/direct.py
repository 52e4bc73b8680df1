"""The direct client: each Request is answered in this process, over the user's own database login."""

from __future__ import annotations

import asyncio
import time
from typing import Any, TypeVar

from todo_cli.clients.base import idempotency_key, possibly_done_note
from todo_cli.contract.base import Caller, Request
from todo_cli.contract.clock import Clock
from todo_cli.contract.codec import check_request
from todo_cli.contract.display import NO_DISPLAY_PREFERENCES
from todo_cli.core.dispatch import handle
from todo_cli.db.connection_settings import has_several_hosts
from todo_cli.db.errors import MIGRATE_HINT, ConnectionLost, RolledBack
from todo_cli.db.pipeline import connect, time_limit
from todo_cli.db.prepared_statements import Preparation
from todo_cli.db.transaction import Transaction
from todo_cli.errors import Unavailable
from todo_cli.settings.settings import Settings

R = TypeVar("R")

MAX_ATTEMPTS = 4
MAX_ATTEMPTS_AFTER_LOSS = 7  # a restart takes a few seconds, and a lost request must be repeated
FIRST_PAUSE_SECONDS = 0.1  # doubled after each attempt


class DirectClient:
    """One connection, opened on first use. A lost connection is replaced and the request repeated with its key."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = settings.require_token()
        self.clock: Clock | None = None
        self.display = NO_DISPLAY_PREFERENCES
        self._preparation = Preparation(is_on=settings.prepare == "auto")
        self._connection: Any = None
        self._runner: asyncio.Runner | None = None

    def send_now(self, request: Request[R], key: str | None = None) -> R:
        """Do `send` from code without an event loop."""
        self._runner = self._runner or asyncio.Runner()
        return self._runner.run(self.send(request, key))

    async def send(self, request: Request[R], key: str | None = None, fences: tuple[int, ...] = ()) -> R:
        """Return the answer within the configured timeout; raises TodoError."""
        request = check_request(request)
        caller = Caller(
            token=self._token,
            space=self._settings.space,
            zone=self._settings.timezone,
            key=idempotency_key(request, key),
            fences=fences or self._settings.fences,
        )
        try:
            async with time_limit(self._settings.timeout):
                return await self._send_with_retries(request, caller, time.monotonic() + self._settings.timeout)
        except TimeoutError:
            note = possibly_done_note(request, caller.key)
            raise Unavailable(f"the database gave no answer in {self._settings.timeout:g} s{note}") from None

    async def _send_with_retries(self, request: Request[R], caller: Caller, deadline: float) -> R:
        was_lost = False
        for attempt in range(1, MAX_ATTEMPTS_AFTER_LOSS + 1):
            try:
                connection = await self._open_connection()
                tx = Transaction(connection, caller, type(request), seconds_left=deadline - time.monotonic())
                answer = await handle(tx, request)
                self.clock, self.display = tx.clock, tx.preferences.display
                return answer
            except RolledBack:
                if attempt >= MAX_ATTEMPTS:
                    raise
                await asyncio.sleep(FIRST_PAUSE_SECONDS * attempt)
                continue
            except Unavailable as error:
                if attempt >= self._max_attempts(was_lost=was_lost):
                    note = possibly_done_note(request, caller.key) if was_lost else ""
                    raise Unavailable(error.detail + note, hint=self._choose_hint(error), **error.extra) from error
            except ConnectionLost as error:
                was_lost = True
                if attempt == MAX_ATTEMPTS_AFTER_LOSS:
                    raise Unavailable(error.detail + possibly_done_note(request, caller.key)) from error
            await self.aclose()
            await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        raise AssertionError("the last attempt returns or raises")

    def _max_attempts(self, *, was_lost: bool) -> int:
        """Return how often to connect: a local Postgres starts, another host takes over, a restart comes to its end."""
        url = self._settings.database_url
        if was_lost or (url and has_several_hosts(url.reveal())):
            return MAX_ATTEMPTS_AFTER_LOSS
        return MAX_ATTEMPTS if self._settings.embedded else 1

    def _choose_hint(self, error: Unavailable) -> str:
        """Return the hint of the error; the user of a local list is its operator."""
        return "upgrade it with: todo init" if self._settings.embedded and error.hint == MIGRATE_HINT else error.hint

    async def _open_connection(self) -> Any:
        if self._connection is None or self._connection.closed:
            if self._settings.embedded:
                await asyncio.to_thread(self._start_local_postgres)
            url = self._settings.database_url
            if url is None:
                raise Unavailable("the profile has no database_url", hint="create one with: todo init")
            self._connection = await connect(url.reveal(), self._preparation)
        return self._connection

    def _start_local_postgres(self) -> None:
        from pathlib import Path

        from todo_cli.local_postgres.cluster import LocalPostgres

        LocalPostgres(Path(self._settings.embedded or "")).start()

    async def aclose(self) -> None:
        """Close the connection, in the event loop that opened it."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def close(self) -> None:
        """Close the connection and the event loop of `send_now`."""
        if self._runner is not None:
            self._runner.run(self.aclose())
            self._runner.close()
        self._connection = self._runner = None
