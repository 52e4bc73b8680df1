"""One answer of the real client from a scripted server: its events or its error."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest

from tests.support.fake_model import run_fake_model
from tests.support.model_answers import Script
from todo_cli.contract.base import Secret
from todo_cli.errors import ModelFailed
from todo_cli.llm.client import Event, Finished, TextDelta, TokenUsage, stream_answer
from todo_cli.llm.endpoints import ModelEndpoint

TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
    for name in ("add_task", "list_tasks", "delete_task")
]
MESSAGES = [{"role": "user", "content": "add milk"}]
COUNTED = TokenUsage(7, 3)
ADD_ARGUMENTS = '{"title": "milk"}'
TEXT_CALL = json.dumps({"name": "add_task", "arguments": {"title": "milk"}})
KEY = "sk-very-secret"


def endpoint(url: str, **more: Any) -> ModelEndpoint:
    """Return an endpoint whose deadlines a slow machine does not miss."""
    patience: dict[str, Any] = {
        "first_content_seconds": 30.0,
        "idle_seconds": 30.0,
        "total_seconds": 60.0,
        "backoff_seconds": 0.02,
    }
    return ModelEndpoint(**({"base_url": url, "model": "m", "api_key": Secret(KEY)} | patience | more))


def ask_model(url: str, *, tools: Sequence[dict[str, Any]] = TOOLS, **more: Any) -> list[Event]:
    """Return the events of one answer."""

    async def listen() -> list[Event]:
        async with aclosing(stream_answer(endpoint(url, **more), MESSAGES, tools)) as events:
            return [event async for event in events]

    return asyncio.run(listen())


def stream_events(*scripts: Script, **more: Any) -> list[Event]:
    """Return the events that the client makes of the scripts."""
    with run_fake_model(*scripts) as server:
        return ask_model(server.url, **more)


def stream_failure(*scripts: Script, **more: Any) -> ModelFailed:
    """Return the error in which the scripts end, and check that it is one line without the key."""
    with pytest.raises(ModelFailed) as caught:
        stream_events(*scripts, **more)
    shown = f"{caught.value.as_problem()}"
    assert KEY not in shown
    assert "<" not in caught.value.detail
    assert caught.value.detail.isprintable()
    assert caught.value.__context__ is None
    return caught.value


def join_text(events: Sequence[Event]) -> str:
    """Return the whole text."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


STOP = Finished("stop", COUNTED)
