"""What a model's server lists: its address and key are checked without asking a model anything."""

from __future__ import annotations

import asyncio
import json

from todo_cli.contract.model_list import ModelList
from todo_cli.llm.endpoints import Endpoint, listed_names
from todo_cli.llm.errors import ModelServerError, from_response
from todo_cli.llm.selection import chosen
from todo_cli.llm.transport import open_http, unreachable
from todo_cli.settings.settings import Settings

LONGEST = 8_000_000
"""Bytes of a list."""
NO_LIST = (404, 405, 501)


async def served(endpoint: Endpoint, seconds: float = 5.0) -> tuple[str, ...] | None:
    """The names of its models; None where it keeps no list. Raises ModelFailed as an answer of a model would."""
    import httpx2

    key = endpoint.api_key.reveal() if endpoint.api_key else ""
    try:
        async with asyncio.timeout(seconds):
            return await _listed(endpoint, {"Authorization": f"Bearer {key}"} if key else {})
    except TimeoutError:
        trouble = ModelServerError("endpoint", f"did not list its models within {seconds:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
        trouble = unreachable(error)
    except ModelServerError as caught:
        trouble = caught
    # outside of the handler, so that no request and no key hangs on the error as its context
    raise trouble.error(endpoint.address, key)


async def menu(settings: Settings, *, asked: str | None = None, preferred: str | None = None) -> ModelList:
    """What these settings allow, else what the model's server lists; raises ModelFailed."""
    endpoint = await asyncio.to_thread(chosen, settings, asked=asked, preferred=preferred)
    if settings.model_allowed:
        names = dict.fromkeys(one for one in (settings.model_name, *settings.model_allowed) if one)
        return ModelList(model=endpoint.model, models=tuple(names))
    return ModelList(model=endpoint.model, models=await served(endpoint) or ())


async def _listed(endpoint: Endpoint, headers: dict[str, str]) -> tuple[str, ...] | None:
    async with (
        open_http(endpoint) as http,
        http.stream("GET", f"{endpoint.base_url}/models", headers=headers) as answer,
    ):
        body = b""
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > LONGEST:
                return None
    if answer.status_code in NO_LIST:
        return None
    if answer.status_code != 200:
        raise from_response(answer.status_code, answer.headers, body)
    if body.lstrip().startswith(b"<"):
        raise ModelServerError("endpoint", "answered with a web page, not with a list of models")
    try:
        return listed_names(json.loads(body))
    except (ValueError, RecursionError):
        return None


def lists(names: tuple[str, ...], model: str) -> bool:
    """Whether it is among them: without its maker's name and its tag where the list has them."""
    return any(model in (name, name.partition(":")[0], name.rpartition("/")[2]) for name in names)
