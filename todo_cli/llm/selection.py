"""Which model a turn speaks with: the one asked for, else what the person prefers, else what is configured.

People only ever name a model. Where it answers, and with which key, is for the settings of whoever runs the turn.
"""

from __future__ import annotations

import os

import msgspec

from todo_cli.contract.base import Secret
from todo_cli.errors import ModelFailed
from todo_cli.llm.endpoints import OPENAI, Endpoint, configured_endpoint, host_of
from todo_cli.llm.pricing import price_of
from todo_cli.settings.credentials import read_model_key
from todo_cli.settings.settings import Settings


def chosen(settings: Settings, *, asked: str | None = None, preferred: str | None = None) -> Endpoint:
    """Of these settings and this process's environment. Blocks while it reads the keyring.

    Raises ModelFailed, also for a model that may not be chosen here, and Unavailable for a keyring that is silent.
    """
    model = asked or preferred or settings.model_name
    _allowed(settings, model)
    base = settings.model_base_url or (OPENAI if settings.model_keyring else None)
    found = configured_endpoint(os.environ, model=model, base_url=base, api_key=settings.model_api_key)
    if found.api_key is None and settings.model_keyring:
        found = msgspec.structs.replace(found, api_key=_kept(found))
    if found.model == settings.model_name:
        price = price_of(settings.model_input_price, settings.model_output_price, settings.model_currency)
        found = msgspec.structs.replace(found, price=price)
    return found


def _allowed(settings: Settings, model: str | None) -> None:
    others = settings.model_allowed
    if not others or model is None or model in (settings.model_name, *others):
        return
    listed = ", ".join(dict.fromkeys(one for one in (settings.model_name, *others) if one))
    hint = f"these may: {listed}; choose with --model, or with: todo prefs --model NAME"
    raise ModelFailed(f"the model {model[:100]!r} may not be chosen here", hint=hint, kind="name")


def _kept(endpoint: Endpoint) -> Secret | None:
    """The keyring's key for precisely this address."""
    return read_model_key(host_of(endpoint.base_url))
