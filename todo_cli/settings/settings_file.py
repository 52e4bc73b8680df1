"""Writing the configuration file: the only thing a command ever writes on the machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from todo_cli.errors import Unavailable
from todo_cli.settings.settings import KEYS, Key, config_path, read_file


def save_profile(name: str, values: dict[str, Any]) -> Path:
    """Change a profile's keys in the file (None removes one), mode 0600; comments and order stay. Its path."""
    return _save(("profiles", name), values)


def save_model(values: dict[str, Any]) -> Path:
    """Change keys of [model] in the same way."""
    return _save(("model",), values)


def _save(place: tuple[str, ...], values: dict[str, Any]) -> Path:
    import tomlkit

    path = config_path()
    read_file(path)
    file = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    section: Any = file
    for name in place:
        section = section.setdefault(name, tomlkit.table(is_super_table=name != place[-1]))
    for key, value in values.items():
        if value is not None:
            section[key] = value
        elif key in section:
            section.remove(key)
    write_file(path, tomlkit.dumps(file))
    return path


def write_file(path: Path, text: str) -> None:
    """Replace the file in one step, readable by its owner only; raises Unavailable when there is no room."""
    # a link is followed: people keep their settings in a repository of dot files
    path = path.resolve()
    spare = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(spare, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        spare.replace(path)
    except OSError as error:
        spare.unlink(missing_ok=True)
        raise Unavailable(f"cannot write {path}: {error.strerror}", hint="make room, or set TODO_CONFIG") from None


def example() -> str:
    """`config.example.toml`: every key with its default and a sentence."""
    text = "# Settings: ~/.config/todo/config.toml, mode 0600. Flags win over the environment, that over this.\n"
    for section, title in {"": "", "profile": "[profiles.default]", "server": "[server]", "model": "[model]"}.items():
        text += f"\n{title}\n" if title else ""
        text += "".join(_lines(key) for key in KEYS if key.section == section)
    return text


def _lines(key: Key) -> str:
    import json

    about = f"\n# {key.about}" + (f" ({key.env})" if key.env else "")
    # every JSON value in use here is TOML too
    return f"{about}\n{'# ' if key.default is None else ''}{key.name} = {json.dumps(key.default or key.kind())}\n"


if __name__ == "__main__":
    sys.stdout.write(example())
