"""Find the model's address and key in the settings and the environment, and the model servers of this machine."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from todo_cli.contract.base import Secret
from todo_cli.errors import ModelFailed
from todo_cli.llm.pricing import Price

OPENAI_URL = "https://api.openai.com/v1"
OPENROUTER_URL = "https://openrouter.ai/api/v1"

SETUP_HINT = (
    "set TODO_MODEL and one of: OPENAI_API_KEY (with OPENAI_BASE_URL for any other server);"
    " OPENROUTER_API_KEY; or OPENAI_BASE_URL alone for a server of your own that needs no key (Ollama, llama.cpp, vLLM)"
)

_MAX_LIST_BYTES = 1_000_000
_OLLAMA_PORT = 11434


class ModelEndpoint(Struct, frozen=True, kw_only=True):
    """One model at one address, with the limits of its answers."""

    base_url: str
    model: str
    api_key: Secret | None
    first_content_seconds: float = 60.0
    """Time for the first content, thought or call, all retries included. A comment is not content."""
    idle_seconds: float = 60.0
    """Time between two chunks with content."""
    total_seconds: float = 600.0
    """Time for a whole answer."""
    max_chars: int = 200_000
    """Characters of one answer. A longer answer is cut."""
    backoff_seconds: float = 0.5
    """Pause before the first retry, about; it doubles with each retry."""
    price: Price | None = None

    @property
    def address(self) -> str:
        """The host for messages, without user and path."""
        parts = urlsplit(self.base_url)
        return parts.netloc.rpartition("@")[2] or "the model's address"


class LocalServer(Struct, frozen=True):
    """A model server that answered on this machine."""

    name: str
    base_url: str
    models: tuple[str, ...]


def find_endpoint(
    environ: Mapping[str, str], *, model: str | None, base_url: str | None, api_key: Secret | None
) -> ModelEndpoint:
    """Return the endpoint by the arguments, then by the environment.

    A key of the environment is sent only to the address that it belongs to. Raises ModelFailed of kind "missing",
    "endpoint" or "key".
    """
    env = {name: value.strip() for name, value in environ.items()}
    model = (model or "").strip() or env.get("TODO_MODEL")
    base_url = (base_url or "").strip() or env.get("OPENAI_BASE_URL") or _default_url(env, api_key)
    if not base_url or not model:
        raise no_model_error(model=model, base_url=base_url)
    _check_url(base_url)
    key = _clean_key(api_key or _environment_key(base_url, env))
    return ModelEndpoint(base_url=base_url.rstrip("/"), model=model, api_key=key)


def resolve_endpoint(
    environ: Mapping[str, str], *, model: str | None, base_url: str | None, api_key: Secret | None
) -> ModelEndpoint:
    """Return the endpoint of a configuration file, over which the environment wins. Raise ModelFailed.

    The file's key is sent only to the file's own address, whatever address the environment names.
    """
    env_url = environ.get("OPENAI_BASE_URL", "").strip()
    env_key = _environment_key(
        env_url or base_url or OPENAI_URL, {name: value.strip() for name, value in environ.items()}
    )
    is_own_address = not env_url or host_of(env_url) == host_of(base_url or OPENAI_URL)
    key = env_key or (api_key if is_own_address else None)
    return find_endpoint(environ, model=model, base_url=env_url or base_url, api_key=key)


def no_model_error(
    servers: Sequence[LocalServer] = (), *, model: str | None = None, base_url: str | None = None
) -> ModelFailed:
    """Return the error for a missing model. Its hint names the three ways to have one, and the servers found here."""
    detail = f"no model is set for {host_of(base_url)}" if base_url else "no model is configured"
    if model and not base_url:
        detail = f"the model {model} has no address and no key"
    offers = [f"OPENAI_BASE_URL={server.base_url} TODO_MODEL={server.models[0]}" for server in servers if server.models]
    running = f"; running here: {' or '.join(offers)}" if offers else ""
    return ModelFailed(detail, hint=SETUP_HINT + running, kind="missing")


def find_local_servers(timeout_seconds: float = 0.3) -> list[LocalServer]:
    """Return the model servers of this machine: Ollama and llama.cpp. Blocks up to `timeout_seconds` for each."""
    places = (("Ollama", _ollama_url(os.environ.get("OLLAMA_HOST", ""))), ("llama.cpp", "http://127.0.0.1:8080"))
    servers = []
    for name, root in places:
        models = _fetch_models(root, timeout_seconds)
        if models is not None:
            servers.append(LocalServer(name, f"{root}/v1", models))
    return servers


def is_loopback(parts: SplitResult) -> bool:
    """Return True if the address is this machine."""
    host = parts.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _default_url(env: Mapping[str, str], api_key: Secret | None) -> str | None:
    if api_key or env.get("OPENAI_API_KEY"):
        return OPENAI_URL
    return OPENROUTER_URL if env.get("OPENROUTER_API_KEY") else None


def _environment_key(base_url: str, env: Mapping[str, str]) -> Secret | None:
    if host_of(base_url) == host_of(OPENROUTER_URL) and (key := env.get("OPENROUTER_API_KEY")):
        return Secret(key)
    configured_host = host_of(env.get("OPENAI_BASE_URL") or OPENAI_URL)
    belongs = host_of(base_url) in (configured_host, host_of(OPENAI_URL))
    key = env.get("OPENAI_API_KEY") if belongs else None
    return Secret(key) if key else None


def host_of(base_url: str | None) -> str:
    """Return the host and port of an address. Keys are stored by them."""
    return urlsplit(base_url or "").netloc.rpartition("@")[2].lower()


def _check_url(base_url: str) -> None:
    try:
        parts = urlsplit(base_url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        valid = valid and base_url.isprintable() and not parts.query and not parts.fragment
    except ValueError:
        valid = False
    if not valid:
        hint = "such as http://127.0.0.1:11434/v1"
        raise ModelFailed("the model's base URL is not an address", hint=hint, kind="endpoint")


def check_key(key: Secret) -> Secret:
    """Return the key without the whitespace around it; raise ModelFailed for characters that no key has."""
    text = key.reveal().strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ModelFailed("the API key has characters that no key has", hint="copy it again", kind="key")
    return Secret(text)


def _clean_key(key: Secret | None) -> Secret | None:
    return check_key(key) if key and key.reveal().strip() else None


def _ollama_url(host: str) -> str:
    """Return the URL for OLLAMA_HOST: host, :port, host:port or a URL. 0.0.0.0 means that Ollama listens everywhere."""
    host = host.strip().rstrip("/")
    try:
        parts = urlsplit(host if "://" in host else f"http://{host}")
        name, port = parts.hostname or "127.0.0.1", parts.port or _OLLAMA_PORT
    except ValueError:
        name, port = "127.0.0.1", _OLLAMA_PORT
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104 - a peer's address, nothing is bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _fetch_models(root: str, timeout_seconds: float) -> tuple[str, ...] | None:
    parts = urlsplit(root)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_seconds)
    try:
        connection.request("GET", "/v1/models")
        response = connection.getresponse()
        document = json.loads(response.read(_MAX_LIST_BYTES)) if response.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()
    return parse_model_list(document)


def parse_model_list(document: object) -> tuple[str, ...] | None:
    """Return the names in a server's list of models; None for anything else."""
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return None
    names = [row.get("id") for row in rows if isinstance(row, dict)]
    return tuple(name for name in names if isinstance(name, str) and name.isprintable() and " " not in name)
