"""A server without requests leaves the database alone, and looks for dead turns again with the next request."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import Database
from todo_cli.server import turn_sweep
from todo_cli.server.connection_pools import open_pool
from todo_cli.server.turn_adoption import TurnAdoption
from todo_cli.server.turn_sweep import TurnSweep


def test_process_without_requests_stops_looking_and_looks_again_with_the_next(
    fresh_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_sweep, "SWEEP_SECONDS", 0.01)
    monkeypatch.setattr(turn_sweep, "QUIET_SECONDS", 0.1)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        pass

    async def use() -> None:
        async with asyncio.timeout(20):
            adoption = TurnAdoption(open_pool(fresh_db.server_url, 0), None, None)  # type: ignore[arg-type]  # they are for dead turns
            sweep: Any = TurnSweep(app, adoption)
            await sweep({"type": "http", "state": {"caller": object()}}, None, None)
            assert sweep._task is None  # Without a lifespan, as in a serverless function, nothing runs beside requests.
            sweep.start()
            await sweep._task
            await sweep({"type": "http", "state": {}}, None, None)
            assert sweep._task.done()  # A health check has no caller.
            await sweep({"type": "http", "state": {"caller": object()}}, None, None)
            assert not sweep._task.done()
            await sweep._task
            await sweep.close()

    asyncio.run(use())
