"""List the models of a server. This checks its address and key without asking a model anything."""

from __future__ import annotations

import asyncio
import json

from todo_cli.contract.model_list import ModelList
from todo_cli.llm.endpoints import ModelEndpoint, parse_model_list
from todo_cli.llm.errors import ModelServerError, error_from_response
from todo_cli.llm.selection import select_endpoint
from todo_cli.llm.transport import connection_error, open_http
from todo_cli.settings.settings import Settings

MAX_LIST_BYTES = 8_000_000
NO_LIST_STATUSES = (404, 405, 501)


async def fetch_models(endpoint: ModelEndpoint, timeout_seconds: float = 5.0) -> tuple[str, ...] | None:
    """Fetch the names of the server's models; return None where it has no list. Raise ModelFailed."""
    import httpx2

    key = endpoint.api_key.reveal() if endpoint.api_key else ""
    try:
        async with asyncio.timeout(timeout_seconds):
            return await _fetch(endpoint, {"Authorization": f"Bearer {key}"} if key else {})
    except TimeoutError:
        failure = ModelServerError("endpoint", f"did not list its models within {timeout_seconds:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
        failure = connection_error(error)
    except ModelServerError as error:
        failure = error
    # raised outside of the handlers, so that the error's context holds no request and no key
    raise failure.to_model_failed(endpoint.address, key)


async def list_models(settings: Settings, *, requested: str | None = None, preferred: str | None = None) -> ModelList:
    """List the models that the settings allow, else those that the model's server lists; raise ModelFailed."""
    endpoint = await asyncio.to_thread(select_endpoint, settings, requested=requested, preferred=preferred)
    if settings.model_allowed:
        names = dict.fromkeys(name for name in (settings.model_name, *settings.model_allowed) if name)
        return ModelList(model=endpoint.model, models=tuple(names))
    return ModelList(model=endpoint.model, models=await fetch_models(endpoint) or ())


async def _fetch(endpoint: ModelEndpoint, headers: dict[str, str]) -> tuple[str, ...] | None:
    async with (
        open_http(endpoint) as http,
        http.stream("GET", f"{endpoint.base_url}/models", headers=headers) as response,
    ):
        body = b""
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_LIST_BYTES:
                return None
    if response.status_code in NO_LIST_STATUSES:
        return None
    if response.status_code != 200:
        raise error_from_response(response.status_code, response.headers, body)
    if body.lstrip().startswith(b"<"):
        raise ModelServerError("endpoint", "answered with a web page instead of a list of models")
    try:
        return parse_model_list(json.loads(body))
    except (ValueError, RecursionError):
        return None


def is_listed(names: tuple[str, ...], model: str) -> bool:
    """Return True if the model is in a list, whose names may carry a maker or a tag besides."""
    return any(model in (name, name.partition(":")[0], name.rpartition("/")[2]) for name in names)
