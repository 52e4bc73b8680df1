"""Write the configuration file: the only file that a command ever writes on the user's machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from todo_cli.errors import TodoError, Unavailable
from todo_cli.settings.keys import SETTING_KEYS, SettingKey
from todo_cli.settings.settings import config_path, read_settings_file

SECTION_TITLES = {
    "": "",
    "profile": "[profiles.default]",
    "server": "[server]",
    "worker": "[worker]",
    "store": "[store]",
    "model": "[model]",
}


def save_profile(name: str, values: dict[str, Any]) -> Path:
    """Set keys of a profile (None removes a key) and return the file's path. Comments and order are kept."""
    return _save_section(("profiles", name), values)


def save_model(values: dict[str, Any]) -> Path:
    """Set keys of [model] in the same way."""
    return _save_section(("model",), values)


def _save_section(place: tuple[str, ...], values: dict[str, Any]) -> Path:
    import tomlkit

    path = config_path()
    read_settings_file(path)
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    section: Any = document
    for name in place:
        section = section.setdefault(name, tomlkit.table(is_super_table=name != place[-1]))
    for key, value in values.items():
        if value is not None:
            section[key] = value
        elif key in section:
            section.remove(key)
    replace_settings_file(path, tomlkit.dumps(document))
    return path


def replace_settings_file(path: Path, text: str) -> None:
    """Replace the file in one step, with mode 0600; raises Unavailable if it cannot be written."""
    # a symbolic link is followed: many users keep their settings in a repository of dot files
    path = path.resolve()
    new_file = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(new_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        new_file.replace(path)
    except OSError as error:
        new_file.unlink(missing_ok=True)
        raise Unavailable(f"cannot write {path}: {error.strerror}", hint="make room, or set TODO_CONFIG") from None


def format_example() -> str:
    """Return the text of `config.example.toml`: every key with its default and a description."""
    text = "# Settings: ~/.config/todo/config.toml, mode 0600. Flags win over the environment, that over this file.\n"
    for section, title in SECTION_TITLES.items():
        text += f"\n{title}\n" if title else ""
        text += "".join(_format_key(key) for key in SETTING_KEYS if key.section == section)
    return text


def _format_key(key: SettingKey) -> str:
    import json

    comment = f"\n# {key.about}" + (f" ({key.env})" if key.env else "")
    # every JSON value in use here is TOML too
    value = json.dumps(key.default or key.kind())
    return f"{comment}\n{'# ' if key.default is None else ''}{key.name} = {value}\n"


if __name__ == "__main__":
    sys.stdout.write(format_example())


def profile_names(incomplete: str) -> list[str]:
    """Return the profiles in the file that begin with `incomplete`, none if the file cannot be read."""
    try:
        profiles = read_settings_file(config_path()).get("profiles", {})
    except TodoError:
        return []
    return [name for name in profiles if name.startswith(incomplete)]
