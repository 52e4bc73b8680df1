"""Print the conversation's model and the models to choose from."""

from __future__ import annotations

import asyncio

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import Session
from todo_cli.contract.model_list import ModelList
from todo_cli.contract.users import WhoAmI

MAX_SHOWN_MODELS = 60


def print_models(session: Session) -> None:
    """Print both; raises TodoError."""
    models = asyncio.run(_fetch_models(session))
    current = session.model or models.model
    text.write(escape(f"The model is {current}. Change it with: /model NAME"))
    for name in sorted(models.models)[:MAX_SHOWN_MODELS]:
        text.write(escape(f"  {'*' if name == current else ' '} {name}"))
    if len(models.models) > MAX_SHOWN_MODELS:
        text.write(f"    … and {len(models.models) - MAX_SHOWN_MODELS} more")


async def _fetch_models(session: Session) -> ModelList:
    if session.settings.server:
        return await _ask_server(session)
    from todo_cli.llm.catalog import list_models

    preferred = (await asyncio.to_thread(session.send, WhoAmI())).model
    return await list_models(session.settings, preferred=preferred)


async def _ask_server(session: Session) -> ModelList:
    from todo_cli.turn_client.remote import fetch_server_models

    return await fetch_server_models(session.settings)
