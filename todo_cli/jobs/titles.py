"""Title a conversation whose process ended before it had a title: one short call of the model, without tools."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from todo_cli.agent.titles import GivenTitle, request_title
from todo_cli.core.validation import check_line, shorten_title
from todo_cli.errors import ModelFailed, TodoError
from todo_cli.jobs.job_queue import JobQueue, TakenJob, UntitledConversation
from todo_cli.jobs.options import WorkerOptions
from todo_cli.llm.endpoints import ModelEndpoint
from todo_cli.llm.selection import select_endpoint
from todo_cli.settings.settings import Settings

if TYPE_CHECKING:
    from todo_cli.llm.client import ModelClient

MAX_TRIES = 5
"""Failures of the model after which the conversation keeps its first words as its title."""
MAX_MODEL_CHARS = 100


async def run_title(queue: JobQueue, job: TakenJob, options: WorkerOptions) -> None:
    """Ask for a title and store it. A conversation that has one, or that this worker's models do not serve, stays."""
    conversation = await queue.open_title(job)
    first_words = shorten_title(conversation.question) if conversation else ""
    endpoint = None
    if conversation and options.titles and conversation.title == first_words:
        endpoint = await asyncio.to_thread(_find_endpoint, options.titles, conversation.model)
    if conversation is None or endpoint is None:
        await queue.finish(job)
        return
    try:
        given = await _ask(endpoint, conversation)
    except ModelFailed as error:
        if job.tries + 1 >= MAX_TRIES:
            await queue.finish(job)
        else:
            await queue.fail(job, options.pause(job.tries), MAX_TRIES, error.detail)
        return
    title = given.title and check_line("title", given.title)
    await queue.store_title(job, first_words, title, endpoint.model[:MAX_MODEL_CHARS], given.usage)


def _find_endpoint(settings: Settings, model: str | None) -> ModelEndpoint | None:
    """Return the endpoint of the conversation's model, None where this worker does not have it."""
    try:
        return select_endpoint(settings, requested=model)
    except TodoError:
        return None


async def _ask(endpoint: ModelEndpoint, conversation: UntitledConversation) -> GivenTitle:
    # half a second of imports: not in the event loop of the other jobs
    model = await asyncio.to_thread(_open_model, endpoint)
    try:
        return await request_title(model, conversation.question, conversation.answer)
    finally:
        await model.close()


def _open_model(endpoint: ModelEndpoint) -> ModelClient:
    from todo_cli.llm.client import ModelClient

    return ModelClient(endpoint)
