"""Select the model endpoint of a turn: the requested model, else the user's preferred one, else the configured one.

A user only ever names a model. Its address and key come from the settings of the process that runs the turn.
"""

from __future__ import annotations

import os

import msgspec

from todo_cli.contract.base import Secret
from todo_cli.errors import ModelFailed
from todo_cli.llm.endpoints import OPENAI_URL, ModelEndpoint, host_of, resolve_endpoint
from todo_cli.llm.pricing import make_price
from todo_cli.settings.credentials import read_model_key
from todo_cli.settings.settings import Settings


def select_endpoint(settings: Settings, *, requested: str | None = None, preferred: str | None = None) -> ModelEndpoint:
    """Return the endpoint by these settings and this process's environment. Blocks while it reads the keyring.

    Raises ModelFailed, also for a model that the settings do not allow, and Unavailable if the keyring does not answer.
    """
    model = requested or preferred or settings.model_name
    _raise_if_not_allowed(settings, model)
    base_url = settings.model_base_url or (OPENAI_URL if settings.model_keyring else None)
    endpoint = resolve_endpoint(os.environ, model=model, base_url=base_url, api_key=settings.model_api_key)
    if endpoint.api_key is None and settings.model_keyring:
        endpoint = msgspec.structs.replace(endpoint, api_key=_read_keyring(endpoint))
    if endpoint.model == settings.model_name:
        price = make_price(settings.model_input_price, settings.model_output_price, settings.model_currency)
        endpoint = msgspec.structs.replace(endpoint, price=price)
    return endpoint


def _raise_if_not_allowed(settings: Settings, model: str | None) -> None:
    allowed = settings.model_allowed
    if not allowed or model is None or model in (settings.model_name, *allowed):
        return
    names = ", ".join(dict.fromkeys(name for name in (settings.model_name, *allowed) if name))
    hint = f"the allowed models are {names}; choose one with --model, or with: todo prefs --model NAME"
    raise ModelFailed(f"the model {model[:100]!r} is not allowed here", hint=hint, kind="name")


def _read_keyring(endpoint: ModelEndpoint) -> Secret | None:
    """Read the key that the keyring has for exactly this host."""
    return read_model_key(host_of(endpoint.base_url))
