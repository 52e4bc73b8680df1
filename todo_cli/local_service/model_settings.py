"""Whether the service talks to the same model as a command: both have an environment of their own.

The service writes a digest of its settings of the model. Where those of a command differ, its turns run in the command.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from todo_cli.local_service.places import find_socket, service_directory, uses_local_service
from todo_cli.settings.settings import Settings

MODEL_VARIABLES = ("OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENROUTER_API_KEY", "TODO_MODEL")
DIGEST_FILE = "model"


def digest_model_settings(settings: Settings) -> str:
    """Return a digest of everything that selects the address, the key and the default model."""
    key = settings.model_api_key.reveal() if settings.model_api_key else ""
    values = [settings.model_name, settings.model_base_url, key, settings.model_keyring, settings.model_allowed]
    values += [os.environ.get(name, "").strip() for name in MODEL_VARIABLES]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def has_service_for_turns(settings: Settings) -> bool:
    """Return whether a service with the same model is there to run turns."""
    home = settings.embedded or ""
    if not uses_local_service(settings) or find_socket(home, settings.path) is None:
        return False
    return read_digest(service_directory(home)) == digest_model_settings(settings)


def read_digest(directory: str) -> str | None:
    """Return the digest that the service wrote, None if it wrote none."""
    try:
        return Path(directory, DIGEST_FILE).read_text()
    except OSError:
        return None
