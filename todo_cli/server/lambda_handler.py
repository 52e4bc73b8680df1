"""The handler of AWS Lambda: `todo_cli.server.lambda_handler.handler`. It needs the extra `lambda`."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from mangum import Mangum

from todo_cli.server.asgi import create_checked_app
from todo_cli.settings.settings import load_settings

TEXT_TYPES = ["text/", "application/json", "application/problem+json"]
"""Content types that are sent as text and not in base64."""


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Answer an event of an API Gateway, a function URL or a load balancer."""
    return _create_adapter()(event, context)


@cache
def _create_adapter() -> Mangum:
    """Return the application for processes that run one request at a time and are frozen between two.

    They keep no connection unless TODO_POOL_SIZE is set, since a frozen process cannot give it back. The event names
    the client, so no proxy is believed. Nothing runs after the answer, such as the title of a conversation.
    """
    settings = load_settings().replace(serve_proxies="", model_titles=False)
    if "TODO_POOL_SIZE" not in os.environ:
        settings = settings.replace(serve_pool_size=0)
    app: Any = create_checked_app(settings)  # the same protocol, in other types
    return Mangum(app, lifespan="off", text_mime_types=TEXT_TYPES)
