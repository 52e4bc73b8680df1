"""Read the settings of a command. A flag wins over the environment, that over the profile, that over the file."""

from __future__ import annotations

import codecs
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct, structs

from todo_cli.contract.base import Secret
from todo_cli.errors import Invalid, NotSignedIn
from todo_cli.settings.keys import SETTING_KEYS, SettingKey, check_value, parse_text

PROJECT_FILE = ".todo.toml"


class Settings(Struct, frozen=True, kw_only=True):
    """The settings of one command. A secret is shown by `reveal` only.

    A NamedTuple of so many fields would cost each command 18 million instructions.
    """

    path: Path
    profile: str
    color: str
    timeout: float
    server: str | None
    database_url: Secret | None
    embedded: str | None
    token: Secret | None
    keyring: bool
    space: str | None
    timezone: str | None
    serve_database_url: Secret | None
    serve_owner_url: Secret | None
    serve_pool_size: int
    serve_connections: int
    serve_proxies: str
    serve_rate_limit: bool = True
    serve_limits_url: Secret | None = None
    serve_cache_url: Secret | None = None
    prepare: str = "auto"
    serve_prepare: str = "auto"
    serve_worker: bool = False
    serve_access_log: bool = True
    service: bool = True
    worker_database_url: Secret | None = None
    worker_smtp_url: Secret | None = None
    worker_mail_from: str | None = None
    worker_private_targets: bool = False
    worker_desktop: bool = True
    worker_lease: float = 60.0
    worker_retry: float = 10.0
    worker_keep_days: int = 90
    worker_keep_trash_days: int = 0
    worker_keep_text_days: int = 0
    model_name: str | None = None
    model_base_url: str | None = None
    model_api_key: Secret | None = None
    model_keyring: bool = False
    model_allowed: Sequence[str] | None = None
    model_input_price: float | None = None
    model_output_price: float | None = None
    model_currency: str = "USD"
    model_titles: bool = True
    serve_registration: str = "closed"
    serve_metrics: bool = False
    serve_traces: float = 0.0
    serve_metrics_token: Secret | None = None
    store_bucket: str | None = None
    store_endpoint: str | None = None
    store_public_endpoint: str | None = None
    store_region: str = "us-east-1"
    store_access_key_id: str | None = None
    store_secret_access_key: Secret | None = None
    store_retention_days: int = 30
    fences: tuple[int, ...] = ()
    project: str | None = None
    completion_timeout: float = 0.4

    def replace(self, **changes: Any) -> Settings:
        """Return the settings with other values."""
        return structs.replace(self, **changes)

    def require_token(self) -> Secret:
        """Return the token, read from the keyring if it is stored there; raises NotSignedIn without one."""
        token = self.token
        if token is None and self.keyring:
            from todo_cli.settings.credentials import read_token

            token = read_token(self.profile)
        if token is None:
            hint = "create a list with: todo init, or sign in to one with: todo login"
            raise NotSignedIn("you are not signed in", hint=hint)
        return token


def config_path() -> Path:
    """Return TODO_CONFIG, else todo/config.toml in the user's configuration directory."""
    if path := os.environ.get("TODO_CONFIG"):
        return Path(path)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "todo" / "config.toml"


def read_settings_file(path: Path) -> dict[str, Any]:
    """Return the checked content of the file, {} if there is none; raises Invalid."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None
    if data.startswith(codecs.BOM_UTF8):
        hint = "save it as UTF-8 without a byte order mark"
        raise Invalid(f"{path} begins with a byte order mark (BOM), which TOML does not allow", hint=hint)
    import tomllib

    try:
        content = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise Invalid(f"{path} is not UTF-8", hint="save it as UTF-8 without a byte order mark") from None
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not TOML: {error}", hint="see config.example.toml, or: todo config edit") from None
    _check_content(path, content)
    return content


def load_settings(profile: str | None = None, *, allow_new: bool = False) -> Settings:
    """Return the settings of one command, with the `.todo.toml` of the checkout unless `allow_new`.

    Raises Invalid for a profile that does not exist unless `allow_new`, and NotSignedIn for a checkout of a server for
    which the user has no token.
    """
    path = config_path()
    content = read_settings_file(path)
    name = profile or os.environ.get("TODO_PROFILE") or content.get("profile") or "default"
    profiles = content.get("profiles", {})
    if name not in profiles and not allow_new and (name != "default" or (profile and profiles)):
        known = ", ".join(profiles) or "none yet"
        raise Invalid(f"there is no profile {name!r} in {path}", hint=f"profiles: {known}")
    project_path = None if allow_new else find_project_file()
    if project_path:
        from todo_cli.settings.project_file import choose_profile, read_project_file

        file = read_project_file(project_path)
        name = choose_profile(file, name, profiles, is_chosen=bool(profile))
    sections = {
        "": content,
        "profile": profiles.get(name, {}),
        "server": content.get("server", {}),
        "worker": content.get("worker", {}),
        "model": content.get("model", {}),
        "store": content.get("store", {}),
    }
    values = {key.field: _read_value(key, sections[key.section]) for key in SETTING_KEYS}
    if _environment_names_another_model(sections["model"]):
        values |= {"model_input_price": None, "model_output_price": None}
    settings = Settings(path=path, **(values | {"profile": name}), fences=_read_fences())
    if project_path is None or not file.belongs_to(settings.server):
        return settings
    space = settings.space if os.environ.get("TODO_SPACE") else file.space or settings.space
    return settings.replace(space=space, project=file.project)


def find_project_file() -> Path | None:
    """Return the file of the current directory, or of the nearest directory above it."""
    try:
        directory = os.getcwd()
    except OSError:  # it was removed
        return None
    while True:
        path = os.path.join(directory, PROJECT_FILE)
        if os.path.isfile(path):
            return Path(path)
        parent = os.path.dirname(directory)
        if parent == directory:
            return None
        directory = parent


def _read_fences() -> tuple[int, ...]:
    """Return the fences of TODO_FENCE. They are of one worker's claims, so no file has them."""
    text = os.environ.get("TODO_FENCE", "")
    if not text.strip():
        return ()
    from todo_cli.contract.keys import parse_fences

    return parse_fences([text])


def _environment_names_another_model(section: dict[str, Any]) -> bool:
    """Return whether the prices of the file belong to another model or address than the environment names."""
    for name, env in (("name", "TODO_MODEL"), ("base_url", "OPENAI_BASE_URL")):
        text = os.environ.get(env, "").strip()
        if text and text != section.get(name, text):
            return True
    return False


def _read_value(key: SettingKey, section: dict[str, Any]) -> Any:
    value = section.get(key.name, key.default)
    if key.env and (text := os.environ.get(key.env)):
        value = parse_text(key, text)
    return Secret(value) if key.secret and value is not None else value


def _check_content(path: Path, content: dict[str, Any]) -> None:
    for name, value in content.items():
        if name in ("server", "worker", "store", "model"):
            _check_section(path, f"[{name}]", value, name)
        elif name == "profiles" and isinstance(value, dict):
            for profile, section in value.items():
                _check_section(path, f"[profiles.{profile}]", section, "profile")
        else:
            _check_key(path, "", name, value, section="")
    _check_file_mode(path, content)


def _check_section(path: Path, title: str, content: Any, section: str) -> None:
    if not isinstance(content, dict):
        raise Invalid(f"{path}: {title} must be a section")
    for name, value in content.items():
        _check_key(path, f"{title} ", name, value, section)


def _check_key(path: Path, title: str, name: str, value: Any, section: str) -> None:
    known = {key.name: key for key in SETTING_KEYS if key.section == section}
    if name not in known:
        from difflib import get_close_matches

        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"keys: {', '.join(known)}"
        raise Invalid(f"{path}: {title}unknown key {name!r}", hint=hint)
    check_value(known[name], value, f"{path}: {title}{name}")


def _check_file_mode(path: Path, content: dict[str, Any]) -> None:
    if os.name != "posix":
        return
    secret_names = {key.name for key in SETTING_KEYS if key.secret}
    sections = [content.get(name, {}) for name in ("server", "worker", "store", "model")]
    sections += content.get("profiles", {}).values()
    if path.stat().st_mode & 0o077 and any(secret_names & section.keys() for section in sections):
        raise Invalid(f"{path} contains secrets and other users can read it", hint=f"run: chmod 600 {path}")
