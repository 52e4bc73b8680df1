"""A title for a conversation whose first turn has ended in this process, which has the database and the model itself.

It is asked for in a process of its own, that nobody waits for: the answer is there already.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress

from todo_cli.errors import TodoError
from todo_cli.settings.settings import Settings, load_settings
from todo_cli.turn_client.run import TurnOutcome

_CODE = "from todo_cli.turn_client.background_title import main; main()"


def begin(settings: Settings, outcome: TurnOutcome, model: str | None) -> None:
    """Begin it, where it is wanted here; a server does it by itself."""
    if settings.server or not settings.model_titles or not outcome.first or outcome.state != "done":
        return
    names = [settings.profile, outcome.conversation, outcome.turn, model or ""]
    with suppress(OSError):
        subprocess.Popen([sys.executable, "-c", _CODE, *names], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)  # fmt: skip


def main() -> None:
    """That process."""
    profile, conversation, turn, model = sys.argv[1:5]
    with suppress(TodoError):  # the first words stay
        asyncio.run(_titled(load_settings(profile, allow_new=True), conversation, turn, model or None))


async def _titled(settings: Settings, conversation: str, turn: str, asked: str | None) -> None:
    from todo_cli.agent.titles import titled
    from todo_cli.clients.direct import DirectClient
    from todo_cli.turn_client.run import chosen_model

    backend = DirectClient(settings)
    try:
        model = await chosen_model(settings, backend, asked)
        try:
            await titled(backend.send, model, conversation, turn, model.name[:100])
        finally:
            await model.close()
    finally:
        await backend.aclose()
