"""Where the model is: settings and the usual environment → an endpoint; what runs on this machine, to be offered."""

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

OPENAI = "https://api.openai.com/v1"
OPENROUTER = "https://openrouter.ai/api/v1"

WAYS = (
    "set TODO_MODEL and one of: OPENAI_API_KEY (with OPENAI_BASE_URL for any other server);"
    " OPENROUTER_API_KEY; or OPENAI_BASE_URL alone for a server of your own that needs no key (Ollama, llama.cpp, vLLM)"
)

_LONGEST_LIST = 1_000_000


class Endpoint(Struct, frozen=True, kw_only=True):
    """One model at one address, and how long to bear with it (seconds, characters)."""

    base_url: str
    model: str
    api_key: Secret | None
    first_content: float = 60.0
    """Until the first content, thought or call must have come; comments do not count. The time for retries, too."""
    idle: float = 60.0
    """Between two pieces that bring something."""
    total: float = 600.0
    """A stream that never ends, ends here."""
    longest: int = 200_000
    """Characters of one answer; a flood is cut here."""
    backoff: float = 0.5
    """Before the first retry, about; doubled each time."""
    price: Price | None = None

    @property
    def address(self) -> str:
        """The host as it may be shown: no user, no path."""
        parts = urlsplit(self.base_url)
        return parts.netloc.rpartition("@")[2] or "the model's address"


class LocalServer(Struct, frozen=True):
    """A model server that answered on this machine."""

    name: str
    base_url: str
    models: tuple[str, ...]


def find_endpoint(
    environ: Mapping[str, str], *, model: str | None, base_url: str | None, api_key: Secret | None
) -> Endpoint:
    """What was given wins, then the environment. Raises ModelFailed: kind "missing", "endpoint" or "key".

    A key of the environment is only sent to the address that it belongs to.
    """
    env = {name: value.strip() for name, value in environ.items()}
    model = (model or "").strip() or env.get("TODO_MODEL")
    base = (base_url or "").strip() or env.get("OPENAI_BASE_URL") or _known_base(env, api_key)
    if not base or not model:
        raise no_model(named=model, base_url=base)
    _check_address(base)
    return Endpoint(base_url=base.rstrip("/"), model=model, api_key=_key(api_key or _key_for(base, env)))


def configured_endpoint(
    environ: Mapping[str, str], *, model: str | None, base_url: str | None, api_key: Secret | None
) -> Endpoint:
    """The endpoint of a configuration file, where the environment wins. Raises ModelFailed.

    The file's key goes only to the file's own address, whatever the environment names instead.
    """
    env_base = environ.get("OPENAI_BASE_URL", "").strip()
    base = env_base or base_url
    theirs = _key_for(base or OPENAI, {name: value.strip() for name, value in environ.items()})
    own = not env_base or host_of(env_base) == host_of(base_url or OPENAI)
    return find_endpoint(environ, model=model, base_url=base, api_key=theirs or (api_key if own else None))


def no_model(
    servers: Sequence[LocalServer] = (), *, named: str | None = None, base_url: str | None = None
) -> ModelFailed:
    """The error for whoever has no model, with the three ways to have one; servers found here are offered, not used."""
    detail = f"no model is named for {host_of(base_url)}" if base_url else "no model is configured"
    if named and not base_url:
        detail = f"there is no address or key for the model {named}"
    offers = [f"OPENAI_BASE_URL={one.base_url} TODO_MODEL={one.models[0]}" for one in servers if one.models]
    found = f"; running here: {' or '.join(offers)}" if offers else ""
    return ModelFailed(detail, hint=WAYS + found, kind="missing")


def local_servers(timeout: float = 0.3) -> list[LocalServer]:
    """Ollama (OLLAMA_HOST or port 11434) and llama.cpp (port 8080), with their models. Blocks up to `timeout` each."""
    places = (("Ollama", _ollama(os.environ.get("OLLAMA_HOST", ""))), ("llama.cpp", "http://127.0.0.1:8080"))
    found = []
    for name, root in places:
        models = _models(root, timeout)
        if models is not None:
            found.append(LocalServer(name, f"{root}/v1", models))
    return found


def is_loopback(parts: SplitResult) -> bool:
    """Whether the address is this machine."""
    host = parts.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _known_base(env: Mapping[str, str], api_key: Secret | None) -> str | None:
    if api_key or env.get("OPENAI_API_KEY"):
        return OPENAI
    return OPENROUTER if env.get("OPENROUTER_API_KEY") else None


def _key_for(base: str, env: Mapping[str, str]) -> Secret | None:
    if host_of(base) == host_of(OPENROUTER) and (key := env.get("OPENROUTER_API_KEY")):
        return Secret(key)
    own = host_of(env.get("OPENAI_BASE_URL") or OPENAI)
    key = env.get("OPENAI_API_KEY") if host_of(base) in (own, host_of(OPENAI)) else None
    return Secret(key) if key else None


def host_of(base: str | None) -> str:
    """Host and port of an address, as keys are kept for them."""
    return urlsplit(base or "").netloc.rpartition("@")[2].lower()


def _check_address(base: str) -> None:
    try:
        parts = urlsplit(base)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and base.isprintable()
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment:
        raise ModelFailed(
            "the model's base URL is no address", hint="such as http://127.0.0.1:11434/v1", kind="endpoint"
        )


def checked_key(key: Secret) -> Secret:
    """The key without blanks around it; raises ModelFailed for what is none."""
    text = key.reveal().strip()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ModelFailed("the API key has characters that no key has", hint="copy it again", kind="key")
    return Secret(text)


def _key(key: Secret | None) -> Secret | None:
    return checked_key(key) if key and key.reveal().strip() else None


def _ollama(host: str) -> str:
    """OLLAMA_HOST in its forms: host, :port, host:port, a URL; 0.0.0.0 is where it listens, not where it is."""
    host = host.strip().rstrip("/")
    try:
        parts = urlsplit(host if "://" in host else f"http://{host}")
        name, port = parts.hostname or "127.0.0.1", parts.port or 11434
    except ValueError:
        name, port = "127.0.0.1", 11434
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104 - not bound, asked
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _models(root: str, timeout: float) -> tuple[str, ...] | None:
    parts = urlsplit(root)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", "/v1/models")
        answer = connection.getresponse()
        listed = json.loads(answer.read(_LONGEST_LIST)) if answer.status == 200 else None
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()
    return listed_names(listed)


def listed_names(document: object) -> tuple[str, ...] | None:
    """The models of a server's list; None where it is none."""
    rows = document.get("data") if isinstance(document, dict) else None
    if not isinstance(rows, list):
        return None
    names = [row.get("id") for row in rows if isinstance(row, dict)]
    return tuple(name for name in names if isinstance(name, str) and name.isprintable() and " " not in name)
