"""Every setting: its name, section, type, default, limits and environment variable.

The configuration file, `config.example.toml`, the environment and the documentation all follow SETTING_KEYS.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from todo_cli.errors import Invalid
from todo_cli.settings.urls import check_database_url, check_server_url, check_smtp_url, check_valkey_url

MAX_TIMEOUT_SECONDS = 86_400
MAX_POOL_SIZE = 1_000
MAX_CLIENT_CONNECTIONS = 100_000
MAX_RETENTION_DAYS = 36_500
MAX_LEASE_SECONDS = 3_600
"""Of a worker's job."""
MAX_RETRY_SECONDS = 3_600
MAX_PRICE = 1_000_000
MAX_CURRENCY_CHARS = 10


class SettingKey(NamedTuple):
    """One setting. `section` is "" for the top of the file, "profile" for any `[profiles.NAME]`."""

    section: str
    name: str
    kind: type
    default: Any
    about: str
    env: str | None = None
    secret: bool = False

    @property
    def field(self) -> str:
        """The name of the setting in `Settings`."""
        prefixes = {"server": "serve_", "worker": "worker_", "model": "model_", "store": "store_"}
        return prefixes.get(self.section, "") + self.name


SETTING_KEYS = (
    SettingKey("", "profile", str, "default", "profile to use when no other is named", "TODO_PROFILE"),
    SettingKey("", "color", str, "auto", "when to use colours: auto, always or never"),
    SettingKey("", "timeout", float, 30.0, "seconds that a command waits for its answer", "TODO_TIMEOUT"),
    SettingKey("", "completion_timeout", float, 0.4, "seconds that the Tab key waits", "TODO_COMPLETION_TIMEOUT"),
    SettingKey("profile", "server", str, None, "todo server: https://… or unix:///path/to.sock", "TODO_SERVER"),
    SettingKey("profile", "database_url", str, None, "direct access: your database login", "TODO_DATABASE_URL", True),
    SettingKey(
        "profile",
        "prepare",
        str,
        "auto",
        "prepared statements of direct access: auto, or off behind a pooler that keeps none",
        "TODO_PREPARE",
    ),
    SettingKey("profile", "embedded", str, None, "directory of the local Postgres; set by `todo init`"),
    SettingKey("profile", "service", bool, True, "use the local service of a local list", "TODO_SERVICE"),
    SettingKey("profile", "token", str, None, "your token; set by `todo init` and `todo login`", "TODO_TOKEN", True),
    SettingKey("profile", "keyring", bool, False, "read the token from the system keyring"),
    SettingKey("profile", "space", str, None, "id of the space to work in; default: your personal one", "TODO_SPACE"),
    SettingKey("profile", "timezone", str, None, "your time zone; default: your stored preference", "TODO_TIMEZONE"),
    SettingKey(
        "server", "database_url", str, None, "login of `todo serve`: todo_server", "TODO_SERVER_DATABASE_URL", True
    ),
    SettingKey(
        "server", "owner_url", str, None, "owner login of `todo db` and `todo admin … --direct`", "TODO_OWNER_URL", True
    ),
    SettingKey(
        "server",
        "pool_size",
        int,
        10,
        "database connections per server process; 0 opens one for each request",
        "TODO_POOL_SIZE",
    ),
    SettingKey("server", "prepare", str, "auto", "as in a profile, for `todo serve`", "TODO_SERVER_PREPARE"),
    SettingKey("server", "connections", int, 800, "client connections per server process", "TODO_CONNECTIONS"),
    SettingKey("server", "proxies", str, "127.0.0.1", "proxies whose X-Forwarded headers are trusted", "TODO_PROXIES"),
    SettingKey(
        "server", "registration", str, "closed", "who may register: closed, invitation, open", "TODO_REGISTRATION"
    ),
    SettingKey(
        "server", "rate_limit", bool, True, "limit each user's requests; a local list has no limit", "TODO_RATE_LIMIT"
    ),
    SettingKey(
        "server",
        "limits_url",
        str,
        None,
        "Redis or Valkey that counts requests; default: Postgres",
        "TODO_LIMITS_URL",
        True,
    ),
    SettingKey(
        "server", "cache_url", str, None, "Redis or Valkey that keeps answers; default: none", "TODO_CACHE_URL", True
    ),
    SettingKey("server", "access_log", bool, True, "log each request as a line of JSON", "TODO_ACCESS_LOG"),
    SettingKey("server", "worker", bool, False, "run a worker in each server process too", "TODO_SERVE_WORKER"),
    SettingKey(
        "worker", "database_url", str, None, "login of `todo worker`: todo_worker", "TODO_WORKER_DATABASE_URL", True
    ),
    SettingKey("worker", "smtp_url", str, None, "mail server: smtps://user:password@host", "TODO_SMTP_URL", True),
    SettingKey("worker", "mail_from", str, None, "sender of mails: todo@example.org", "TODO_MAIL_FROM"),
    SettingKey(
        "worker", "private_targets", bool, False, "allow webhooks into private networks", "TODO_PRIVATE_TARGETS"
    ),
    SettingKey("worker", "desktop", bool, True, "show messages on this machine by notify-send", "TODO_WORKER_DESKTOP"),
    SettingKey("worker", "lease", float, 60.0, "seconds until a dead worker's job is taken over", "TODO_WORKER_LEASE"),
    SettingKey("worker", "retry", float, 10.0, "seconds before the first repetition; doubles", "TODO_WORKER_RETRY"),
    SettingKey("worker", "keep_days", int, 90, "days that deliveries and dead jobs are kept", "TODO_KEEP_DAYS"),
    SettingKey("worker", "keep_trash_days", int, 0, "days that the trash is kept; 0: for ever", "TODO_KEEP_TRASH_DAYS"),
    SettingKey(
        "worker", "keep_text_days", int, 0, "days that the journal keeps long texts; 0: for ever", "TODO_KEEP_TEXT_DAYS"
    ),
    SettingKey("server", "metrics", bool, False, "serve metrics for Prometheus at /metrics", "TODO_METRICS"),
    SettingKey(
        "server",
        "metrics_token",
        str,
        None,
        "token of /metrics; without it only this machine may read them",
        "TODO_METRICS_TOKEN",
        True,
    ),
    SettingKey("server", "traces", float, 0.0, "part of the requests to trace by OpenTelemetry, 0 to 1", "TODO_TRACES"),
    SettingKey("store", "bucket", str, None, "bucket for attachments; default: the database", "TODO_STORE_BUCKET"),
    SettingKey(
        "store", "endpoint", str, None, "address of the S3-compatible store; default: AWS", "TODO_STORE_ENDPOINT"
    ),
    SettingKey(
        "store", "public_endpoint", str, None, "its address for clients, where it differs", "TODO_STORE_PUBLIC_ENDPOINT"
    ),
    SettingKey("store", "region", str, "us-east-1", "region of the bucket", "TODO_STORE_REGION"),
    SettingKey("store", "access_key_id", str, None, "default: as AWS's own tools find it", "TODO_STORE_ACCESS_KEY_ID"),
    SettingKey("store", "secret_access_key", str, None, "secret of that key", "TODO_STORE_SECRET_ACCESS_KEY", True),
    SettingKey("store", "retention_days", int, 30, "days that removed files are kept", "TODO_STORE_RETENTION_DAYS"),
    SettingKey("model", "name", str, None, "model for the chat; a server uses its own setting", "TODO_MODEL"),
    SettingKey("model", "base_url", str, None, "address of the model's API; OPENAI_BASE_URL wins"),
    SettingKey("model", "api_key", str, None, "API key, sent to that address only; OPENAI_API_KEY wins", None, True),
    SettingKey("model", "keyring", bool, False, "read the API key from the system keyring; see `todo config set-key`"),
    SettingKey("model", "allowed", list, None, "other models that users may choose; default: any"),
    SettingKey("model", "input_price", float, None, "price of a million input tokens of `name`; default: no costs"),
    SettingKey("model", "output_price", float, None, "price of a million output tokens of `name`"),
    SettingKey("model", "currency", str, "USD", "currency of both prices, printed as it is"),
    SettingKey("model", "titles", bool, True, "let the model title a conversation after its first turn", "TODO_TITLES"),
)

_URL_CHECKS = {
    "smtp_url": check_smtp_url,
    "server": check_server_url,
    "database_url": check_database_url,
    "owner_url": check_database_url,
    "limits_url": check_valkey_url,
    "cache_url": check_valkey_url,
    "endpoint": check_server_url,
    "public_endpoint": check_server_url,
}
_CHOICES = {
    "color": ("auto", "always", "never"),
    "registration": ("closed", "invitation", "open"),
    "prepare": ("auto", "off"),
}
_SWITCHES = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_KIND_NAMES = {str: "a text", float: "a number", int: "a whole number", bool: "true or false", list: "a list"}
_LIMITS = {
    "color": "auto, always or never",
    "timeout": f"more than 0 and at most {MAX_TIMEOUT_SECONDS:,}",
    "completion_timeout": f"more than 0 and at most {MAX_TIMEOUT_SECONDS:,}",
    "traces": "0 to 1",
    "retention_days": f"0 to {MAX_RETENTION_DAYS:,}",
    "prepare": "auto or off",
    "pool_size": f"0 to {MAX_POOL_SIZE:,}",
    "connections": f"1 to {MAX_CLIENT_CONNECTIONS:,}",
    "registration": "closed, invitation or open",
    "mail_from": "an e-mail address",
    "lease": f"1 to {MAX_LEASE_SECONDS:,} seconds",
    "retry": f"more than 0 and at most {MAX_RETRY_SECONDS:,} seconds",
    "keep_days": f"1 to {MAX_RETENTION_DAYS:,}",
    "keep_trash_days": f"1 to {MAX_RETENTION_DAYS:,}, or 0 for ever",
    "keep_text_days": f"1 to {MAX_RETENTION_DAYS:,}, or 0 for ever",
    "allowed": "a list of names",
    "input_price": f"0 to {MAX_PRICE:,}",
    "output_price": f"0 to {MAX_PRICE:,}",
    "space": "the id of a space, as `todo space list --json` shows it",
    "currency": f"a word of at most {MAX_CURRENCY_CHARS} characters",
}


def parse_text(key: SettingKey, text: str) -> Any:
    """Return the value of an environment variable; raises Invalid."""
    if key.secret:
        text = text.strip()
    try:
        value = _SWITCHES[text.strip().lower()] if key.kind is bool else key.kind(text)
    except (ValueError, KeyError):
        raise Invalid(f"{key.env} must be {_KIND_NAMES[key.kind]}") from None
    _check_limits(key, value, key.env or key.name)
    return value


def check_value(key: SettingKey, value: Any, name: str) -> None:
    """Raise Invalid, with `name` as its subject, for a value of the file that has the wrong type or is out of range."""
    kinds = (int, float) if key.kind is float else key.kind
    if not isinstance(value, kinds) or (key.kind is not bool and isinstance(value, bool)):
        raise Invalid(f"{name} must be {_KIND_NAMES[key.kind]}")
    _check_limits(key, value, name)


def _check_limits(key: SettingKey, value: Any, name: str) -> None:
    if check_url := _URL_CHECKS.get(key.name):
        check_url(value, name)
    if not _is_within_limits(key, value):
        raise Invalid(f"{name} must be {_LIMITS[key.name]}")


def _is_within_limits(key: SettingKey, value: Any) -> bool:
    if choices := _CHOICES.get(key.name):
        return value in choices
    match key.name:
        case "timeout" | "completion_timeout":
            return bool(0 < value <= MAX_TIMEOUT_SECONDS)
        case "pool_size":
            return bool(0 <= value <= MAX_POOL_SIZE)
        case "connections":
            return bool(1 <= value <= MAX_CLIENT_CONNECTIONS)
        case "mail_from":
            return "@" in value and value.isprintable() and value.isascii()
        case "lease":
            return bool(1 <= value <= MAX_LEASE_SECONDS)
        case "retry":
            return bool(0 < value <= MAX_RETRY_SECONDS)
        case "keep_days":
            return bool(1 <= value <= MAX_RETENTION_DAYS)
        case "traces":
            return bool(0 <= value <= 1)
        case "retention_days" | "keep_trash_days" | "keep_text_days":
            return bool(0 <= value <= MAX_RETENTION_DAYS)
        case "allowed":
            return all(isinstance(name, str) for name in value)
        case "input_price" | "output_price":
            return bool(0 <= value <= MAX_PRICE)
        case "space":
            from todo_cli.contract.ids import is_uuid

            return is_uuid(value)
        case "currency":
            return 0 < len(value) <= MAX_CURRENCY_CHARS and value.isprintable() and " " not in value
    return True
