"""Show and edit the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import Annotated, Any

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.session import session_of
from todo_cli.contract.base import Secret
from todo_cli.errors import Invalid, Unavailable
from todo_cli.settings.keys import SETTING_KEYS
from todo_cli.settings.settings import Settings
from todo_cli.settings.urls import hide_user

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Show and edit the settings.")


@app.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Show the settings in effect under the keys of the settings file. Secrets are not printed.

    todo config show

    TODO_PROFILE=work todo config show --json
    """
    settings = session_of(ctx).settings
    if as_json:
        from todo_cli.cli.render import json

        json.write_document({"path": str(settings.path), **_as_document(settings)})
        return
    text.write(f"{'path':<28}{settings.path}")
    for name, value in _flatten(_as_document(settings)):
        text.write(escape(f"{name:<28}{'-' if value is None else value}"))


def _as_document(settings: Settings) -> dict[str, Any]:
    """Return the settings under the keys of the settings file, without secrets."""
    profile: dict[str, Any] = {}
    document: dict[str, Any] = {}
    sections = {"": document, "profile": profile, "server": {}, "worker": {}, "model": {}, "store": {}}
    for key in SETTING_KEYS:
        value = getattr(settings, key.field)
        shown = "(set)" if isinstance(value, Secret) else hide_user(value) if isinstance(value, str) else value
        sections[key.section][key.name] = shown
    return document | {
        "profiles": {settings.profile: profile},
        "server": sections["server"],
        "worker": sections["worker"],
        "store": sections["store"],
        "model": sections["model"],
    }


def _flatten(document: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the settings by their dotted keys, such as `server.pool_size`."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


@app.command()
def path() -> None:
    """Print the path of the settings file, whether it exists or not.

    todo config path

    cat "$(todo config path)"
    """
    from todo_cli.settings.settings import config_path

    text.write(str(config_path()))


@app.command()
def edit() -> None:
    """Open the settings file in $EDITOR, and check it afterwards.

    todo config edit

    EDITOR=nano todo config edit
    """
    from todo_cli.cli.text_editor import edit_file
    from todo_cli.settings.settings import config_path, read_settings_file
    from todo_cli.settings.settings_file import format_example, replace_settings_file

    file = config_path()
    if not file.exists():
        replace_settings_file(
            file, "".join(f"# {line}" if line[:1].isalpha() else line for line in format_example().splitlines(True))
        )
    edit_file(file)
    read_settings_file(file)
    text.write(f"{file} is valid.")


@app.command("set-key")
def set_key(
    ctx: typer.Context,
    keyring: Annotated[
        bool | None,
        typer.Option("--keyring/--no-keyring", help="Store the key in the system keyring.", show_default=False),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Remove the stored key.")] = False,
) -> None:
    """Store the model's API key, read from a prompt or stdin. It is sent only to `base_url`, by default OpenAI.

    todo config set-key

    todo config set-key --no-keyring < key.txt
    """
    from todo_cli.cli.prompts import read_secret
    from todo_cli.llm.endpoints import OPENAI_URL, check_key, host_of
    from todo_cli.settings import credentials
    from todo_cli.settings.settings_file import save_model

    session = session_of(ctx)
    settings = session.create_profile()
    host = host_of(settings.model_base_url or OPENAI_URL)
    if settings.model_keyring:
        with nullcontext() if forget else suppress(Unavailable):
            credentials.delete_model_key(host)
    if forget:
        save_model({"api_key": None, "keyring": None})
        text.write(escape(f"Removed the key for {host}."))
        return
    key = check_key(read_secret(session, "Key: ", noun="key"))
    in_keyring = keyring is not False and credentials.store_model_key(host, key)
    if keyring and not in_keyring:
        raise Invalid("no system keyring responds", hint="store the key in the settings file: --no-keyring")
    path = save_model({"api_key": None if in_keyring else key.reveal(), "keyring": True if in_keyring else None})
    place = "the system keyring" if in_keyring else path
    text.write(escape(f"Stored the key for {host} in {place}; it is sent nowhere else."))
