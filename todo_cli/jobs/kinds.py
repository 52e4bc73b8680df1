"""Select the kinds of jobs that a worker takes: those for which it is set up."""

from __future__ import annotations

import asyncio

from todo_cli.errors import TodoError
from todo_cli.jobs.options import WorkerOptions
from todo_cli.settings.settings import Settings

USUAL_KINDS = ("reminder", "changes", "test", "sweep")


async def select_kinds(options: WorkerOptions) -> list[str]:
    """Return the kinds. Titles wait for a worker that has a model."""
    # the keyring may be slow
    has_titles = options.titles is not None and await asyncio.to_thread(has_model, options.titles)
    return [*USUAL_KINDS, "title"] if has_titles else [*USUAL_KINDS]


def has_model(settings: Settings) -> bool:
    """Return whether a model is configured. Blocks while it reads the keyring."""
    from todo_cli.llm.selection import select_endpoint

    try:
        select_endpoint(settings)
    except TodoError:
        return False
    return True
