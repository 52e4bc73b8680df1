"""Choose the model of a turn that this process runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from todo_cli.contract.users import WhoAmI
from todo_cli.errors import ModelFailed
from todo_cli.settings.settings import Settings

if TYPE_CHECKING:
    from todo_cli.clients.direct import DirectClient
    from todo_cli.llm.client import ModelClient

MAX_MODEL_CHARS = 100
"""Characters of a model's name that are stored with a turn."""


async def choose_model(settings: Settings, client: DirectClient, requested: str | None) -> ModelClient:
    """Open the requested model, else the user's preferred one, else the configured one; raise ModelFailed."""
    preferred = None if requested else (await client.send(WhoAmI())).model
    return await asyncio.to_thread(_open_model, settings, requested, preferred)


def _open_model(settings: Settings, requested: str | None, preferred: str | None) -> ModelClient:
    """Open the model; where none is configured, the error's hint offers the servers of this machine."""
    from todo_cli.llm.endpoints import find_local_servers, no_model_error
    from todo_cli.llm.selection import select_endpoint

    try:
        endpoint = select_endpoint(settings, requested=requested, preferred=preferred)
    except ModelFailed as error:
        if error.extra.get("kind") != "missing":
            raise
        raise ModelFailed(error.detail, hint=no_model_error(find_local_servers()).hint, kind="missing") from None
    from todo_cli.llm.client import ModelClient

    return ModelClient(endpoint)
