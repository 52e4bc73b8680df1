"""Give a conversation a title at the end of the command that ran its first turn without a server."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from todo_cli.errors import TodoError
from todo_cli.local_service.model_settings import digest_model_settings, read_digest
from todo_cli.local_service.places import service_directory, uses_local_service
from todo_cli.settings.settings import Settings
from todo_cli.turn_client.outcome import TurnOutcome

TITLE_SECONDS = 5.0
"""The answer is on the screen already, so the command may only wait a moment for the title."""


def title_conversation(settings: Settings, outcome: TurnOutcome, requested: str | None) -> None:
    """Ask the model for a title, where this command is the one to do so. Ctrl-C skips the title.

    The command waits at most TITLE_SECONDS. Without a title the conversation is named by the first words said in it.
    """
    if settings.server or not settings.model_titles or not outcome.first or outcome.state != "done":
        return
    with suppress(TodoError, TimeoutError, KeyboardInterrupt):
        asyncio.run(_store_title(settings, outcome, requested))


def leaves_title_to_worker(settings: Settings) -> bool:
    """Return whether a worker may title the conversation of a turn that this process runs.

    Only that of the local service with the model of this command: nothing is sent to a model that the user did not
    choose.
    """
    if not settings.model_titles or not uses_local_service(settings):
        return False
    digest = read_digest(service_directory(settings.embedded or ""))
    # without a digest the service is starting, with the settings of this command
    return digest in (None, digest_model_settings(settings))


async def _store_title(settings: Settings, outcome: TurnOutcome, requested: str | None) -> None:
    from todo_cli.agent.titles import store_title
    from todo_cli.clients.direct import DirectClient
    from todo_cli.turn_client.model_choice import MAX_MODEL_CHARS, choose_model

    client = DirectClient(settings)
    try:
        async with asyncio.timeout(TITLE_SECONDS):
            model = await choose_model(settings, client, requested)
            try:
                await store_title(client.send, model, outcome.conversation, outcome.turn, model.name[:MAX_MODEL_CHARS])
            finally:
                await model.close()
    finally:
        await client.aclose()
