"""The file `.todo.toml` of a checkout: the server, the space and the project of its tasks.

It is committed, so it has no secret. A checkout may be hostile, so its file never decides where a token goes: the
server that it names is used only with a profile of the user's own settings that has a token for exactly that server.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

from todo_cli.errors import Invalid, NotSignedIn
from todo_cli.settings.keys import SETTING_KEYS, check_value

KEYS = ("server", "space", "project")
MAX_FILE_BYTES = 65_536
MAX_PROJECT_CHARS = 200
EXPLICIT_CHOICES = ("TODO_PROFILE", "TODO_SERVER", "TODO_DATABASE_URL", "TODO_TOKEN")
"""The variables with which the user says where to work; they win over the file."""


class ProjectFile(NamedTuple):
    """The content of the file."""

    path: Path
    server: str | None = None
    space: str | None = None
    project: str | None = None

    def belongs_to(self, server: str | None) -> bool:
        """Return whether the file is about the server: it names that or none. A slash at the end does not matter."""
        return self.server is None or (server or "").rstrip("/") == self.server.rstrip("/")


def read_project_file(path: Path) -> ProjectFile:
    """Return the content of the file; raises Invalid, also for a secret in it."""
    import tomllib

    try:
        with path.open("rb") as file:
            content = tomllib.loads(file.read(MAX_FILE_BYTES).decode())
    except OSError as error:
        raise Invalid(f"cannot read {path}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{path} is not TOML: {error}", hint=f"it may have these keys: {', '.join(KEYS)}") from None
    for name, value in content.items():
        _check_key(path, name, value)
    return ProjectFile(path, **content)


def _check_key(path: Path, name: str, value: Any) -> None:
    settings = {key.name: key for key in SETTING_KEYS if key.section == "profile"}
    if name in settings and settings[name].secret:
        raise Invalid(
            f"{path} contains a {name}, which everybody with the repository can read",
            hint="remove it there, revoke it, and sign in on this machine with: todo login",
        )
    if name not in KEYS:
        raise Invalid(f"{path}: unknown key {name[:60]!r}", hint=f"keys: {', '.join(KEYS)}")
    if name in settings:
        check_value(settings[name], value, f"{path}: {name}")
    elif not isinstance(value, str) or not 0 < len(value) <= MAX_PROJECT_CHARS:
        raise Invalid(f"{path}: {name} must be a text of at most {MAX_PROJECT_CHARS} characters")


def choose_profile(file: ProjectFile, name: str, profiles: dict[str, Any], *, is_chosen: bool) -> str:
    """Return the profile that signs in to the server of the file; raises NotSignedIn for none.

    It is `name` if that does, if the file names no server, and if the user has chosen where to work.
    """
    if file.server is None or is_chosen or any(os.environ.get(variable) for variable in EXPLICIT_CHOICES):
        return name
    for candidate in dict.fromkeys((name, *profiles)):
        section = profiles.get(candidate, {})
        if file.belongs_to(section.get("server")) and (section.get("token") or section.get("keyring")):
            return candidate
    raise NotSignedIn(
        f"{file.path} names the server {file.server}, for which you have no token",
        hint=f"if you trust it: todo login {file.server}; to leave the file aside: todo --profile {name} …",
    )
