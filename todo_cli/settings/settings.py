"""Settings: flag, then environment, then profile, then file. The only thing a command writes on the machine.

KEYS is the whole of it: the file, `config.example.toml`, the environment's names and the README's table say the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from todo_cli.contract.base import Secret
from todo_cli.errors import Invalid, NotSignedIn, TodoError


class Key(NamedTuple):
    """One setting: its section in the file, what it holds, and what it is for."""

    section: str
    name: str
    kind: type
    default: Any
    about: str
    env: str | None = None
    secret: bool = False


KEYS = (
    Key("", "profile", str, "default", "the profile that is used when none is named", "TODO_PROFILE"),
    Key("", "color", str, "auto", "auto, always or never", None),
    Key("", "timeout", float, 30.0, "seconds a command waits for an answer in all", "TODO_TIMEOUT"),
    Key("profile", "server", str, None, "address of a todo server: https://…, or unix:///path/to.sock", "TODO_SERVER"),
    Key("profile", "database_url", str, None, "direct access: your own database login", "TODO_DATABASE_URL", True),
    Key("profile", "embedded", str, None, "data directory of the Postgres that `todo init` made; started when down"),
    Key("profile", "token", str, None, "who you are; made by `todo init` or `todo login`", "TODO_TOKEN", True),
    Key("profile", "keyring", bool, False, "the token lives in the system keyring"),
    Key("profile", "space", str, None, "id of the space to work in; your own when absent", "TODO_SPACE"),
    Key("profile", "timezone", str, None, "your time zone; your stored preference when absent", "TODO_TIMEZONE"),
    Key("server", "database_url", str, None, "`todo serve`: the login todo_server", "TODO_SERVER_DATABASE_URL", True),
    Key("server", "owner_url", str, None, "`todo db`, `admin user add --direct`: the owner", "TODO_OWNER_URL", True),
    Key("server", "pool_size", int, 10, "database connections of one server process", "TODO_POOL_SIZE"),
    Key("server", "proxies", str, "127.0.0.1", "addresses whose X-Forwarded headers are believed", "TODO_PROXIES"),
    Key("model", "name", str, None, "the model that chats; behind a server, the server's own counts", "TODO_MODEL"),
    Key("model", "base_url", str, None, "where it answers; OPENAI_BASE_URL wins over it"),
    Key("model", "api_key", str, None, "its key, for that address only; OPENAI_API_KEY wins over it", None, True),
    Key("model", "keyring", bool, False, "its key lives in the system keyring; made by `todo config set-key`"),
    Key("model", "allowed", list, None, "the other models that people may choose; absent: any"),
    Key("model", "input_price", float, None, "what a million tokens cost that `name` reads; absent: no costs are told"),
    Key("model", "output_price", float, None, "what a million tokens cost that it writes"),
    Key("model", "currency", str, "USD", "of both prices; only a word"),
    Key("model", "titles", bool, True, "a model names each conversation once its first turn has ended", "TODO_TITLES"),
)  # fmt: skip


class Settings(NamedTuple):
    """What one command runs with. Secrets show only by `reveal`."""

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
    serve_proxies: str
    model_name: str | None = None
    model_base_url: str | None = None
    model_api_key: Secret | None = None
    model_keyring: bool = False
    model_allowed: Sequence[str] | None = None
    model_input_price: float | None = None
    model_output_price: float | None = None
    model_currency: str = "USD"
    model_titles: bool = True

    def require_token(self) -> Secret:
        """The token, from the keyring where it lives there; raises NotSignedIn."""
        token = self.token
        if token is None and self.keyring:
            from todo_cli.settings.credentials import read_token

            token = read_token(self.profile)
        if token is None:
            raise NotSignedIn("you are not signed in", hint="start with: todo init (a list of your own) or todo login")
        return token


def config_path() -> Path:
    """TODO_CONFIG, else todo/config.toml in the user's config directory."""
    if named := os.environ.get("TODO_CONFIG"):
        return Path(named)
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "todo" / "config.toml"


def read_file(path: Path) -> dict[str, Any]:
    """The file as it stands, checked; {} when there is none. Raises Invalid with what to do."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None
    import tomllib

    try:
        values = tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise Invalid(f"{path} is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{path} is not TOML: {error}", hint="see config.example.toml, or: todo config edit") from None
    _check(path, values)
    return values


def load(profile: str | None = None, *, make: bool = False) -> Settings:
    """The settings of one command; raises Invalid, also for a profile that is not there unless it is to be made."""
    path = config_path()
    file = read_file(path)
    chosen = profile or os.environ.get("TODO_PROFILE") or file.get("profile") or "default"
    profiles = file.get("profiles", {})
    if chosen not in profiles and not make and (chosen != "default" or (profile and profiles)):
        known = ", ".join(profiles) or "none yet"
        raise Invalid(f"there is no profile {chosen!r} in {path}", hint=f"profiles: {known}")
    found = {key: _value(key, file, profiles.get(chosen, {})) for key in KEYS}
    if _named_elsewhere(file.get("model", {})):
        found |= {key: None for key in KEYS if key.name in ("input_price", "output_price")}
    prefixes = {"server": "serve_", "model": "model_"}
    named = {prefixes.get(key.section, "") + key.name: value for key, value in found.items()}
    return Settings(path=path, **(named | {"profile": chosen}))


def _named_elsewhere(section: dict[str, Any]) -> bool:
    """A price is that of the model and address beside it, not of what the environment names instead."""
    for name, env in (("name", "TODO_MODEL"), ("base_url", "OPENAI_BASE_URL")):
        given = os.environ.get(env, "").strip()
        if given and given != section.get(name, given):
            return True
    return False


def _value(key: Key, file: dict[str, Any], profile: dict[str, Any]) -> Any:
    section = {"": file, "profile": profile, "server": file.get("server", {}),
               "model": file.get("model", {})}[key.section]  # fmt: skip
    value = section.get(key.name, key.default)
    if key.env and (given := os.environ.get(key.env)):
        value = _converted(key, given)
    return Secret(value) if key.secret and value is not None else value


def _converted(key: Key, text: str) -> Any:
    if key.secret:
        text = text.strip()
    try:
        value = _SWITCH[text.strip().lower()] if key.kind is bool else key.kind(text)
    except (ValueError, KeyError):
        raise Invalid(f"{key.env} must be {_KINDS[key.kind]}") from None
    if not _sensible(key, value):
        raise Invalid(f"{key.env} must be {_SENSIBLE[key.name]}")
    return value


_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_SENSIBLE = {
    "color": "auto, always or never", "timeout": "more than 0 and at most 86,400", "pool_size": "1 to 1,000",
    "allowed": "a list of names", "input_price": "0 to 1,000,000", "output_price": "0 to 1,000,000",
    "currency": "a word of at most 10 characters",
}  # fmt: skip


def _sensible(key: Key, value: Any) -> bool:
    match key.name:
        case "color":
            return value in ("auto", "always", "never")
        case "timeout":
            return bool(0 < value <= 86_400)
        case "pool_size":
            return bool(1 <= value <= 1_000)
        case "allowed":
            return all(isinstance(one, str) for one in value)
        case "input_price" | "output_price":
            return bool(0 <= value <= 1_000_000)
        case "currency":
            return 0 < len(value) <= 10 and value.isprintable() and " " not in value
    return True


_KINDS = {str: "a text", float: "a number", int: "a whole number", bool: "true or false", list: "a list"}


def _check(path: Path, values: dict[str, Any]) -> None:
    tops = {key.name: key for key in KEYS if not key.section}
    for name, value in values.items():
        if name in ("server", "model"):
            _check_section(path, f"[{name}]", value, name)
        elif name == "profiles" and isinstance(value, dict):
            for profile, section in value.items():
                _check_section(path, f"[profiles.{profile}]", section, "profile")
        else:
            _check_key(path, "", name, value, tops)
    _check_mode(path, values)


def _check_section(path: Path, title: str, section: Any, kind: str) -> None:
    if not isinstance(section, dict):
        raise Invalid(f"{path}: {title} must be a section")
    known = {key.name: key for key in KEYS if key.section == kind}
    for name, value in section.items():
        _check_key(path, f"{title} ", name, value, known)


def _check_key(path: Path, where: str, name: str, value: Any, known: dict[str, Key]) -> None:
    if name not in known:
        from difflib import get_close_matches

        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]!r}?" if close else f"keys: {', '.join(known)}"
        raise Invalid(f"{path}: {where}unknown key {name!r}", hint=hint)
    kind = known[name].kind
    if not isinstance(value, (int, float) if kind is float else kind) or (kind is not bool and isinstance(value, bool)):
        raise Invalid(f"{path}: {where}{name} must be {_KINDS[kind]}")
    if not _sensible(known[name], value):
        raise Invalid(f"{path}: {where}{name} must be {_SENSIBLE[name]}")


def _check_mode(path: Path, values: dict[str, Any]) -> None:
    if os.name != "posix":
        return
    secrets = {key.name for key in KEYS if key.secret}
    sections = [values.get("server", {}), values.get("model", {}), *values.get("profiles", {}).values()]
    if path.stat().st_mode & 0o077 and any(secrets & section.keys() for section in sections):
        raise Invalid(f"{path} holds secrets and others can read it", hint=f"close it with: chmod 600 {path}")


def profile_names(incomplete: str) -> list[str]:
    """The profiles in the file whose names begin so; none where the file cannot be read."""
    try:
        found = read_file(config_path()).get("profiles", {})
    except TodoError:
        return []
    return [name for name in found if name.startswith(incomplete)]
