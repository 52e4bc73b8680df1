"""Show and edit the settings."""

from __future__ import annotations

import os
import subprocess
from contextlib import nullcontext, suppress
from typing import Annotated

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.render import text
from todo_cli.cli.session import session_of
from todo_cli.contract.base import Secret
from todo_cli.errors import Invalid, Unavailable

PANEL = "Account"
app = typer.Typer(add_completion=False, no_args_is_help=True, help="Show and edit the settings.")


@app.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Show what is in force, from flags, environment, profile and file together; secrets are only named.

    todo config show

    TODO_PROFILE=work todo config show --json
    """
    values = session_of(ctx).settings._asdict()
    shown = {name: "(set)" if isinstance(value, Secret) else value for name, value in values.items()}
    shown["path"] = str(shown["path"])
    if as_json:
        from todo_cli.cli.render import json

        json.write_document(shown)
        return
    for name, value in shown.items():
        text.write(f"{name:<20}{'-' if value is None else value}")


@app.command()
def path() -> None:
    """Say where the file is, or would be.

    todo config path

    cat "$(todo config path)"
    """
    from todo_cli.settings.settings import config_path

    text.write(str(config_path()))


@app.command()
def edit() -> None:
    """Open the file in $EDITOR, and check it afterwards.

    todo config edit

    EDITOR=nano todo config edit
    """
    from todo_cli.settings.settings import config_path, read_settings_file
    from todo_cli.settings.settings_file import format_example, replace_settings_file

    file = config_path()
    if not file.exists():
        replace_settings_file(
            file, "".join(f"# {line}" if line[:1].isalpha() else line for line in format_example().splitlines(True))
        )
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*editor.split(), str(file)], check=False).returncode
    except OSError as error:
        raise Invalid(f"cannot start the editor {editor!r}: {error.strerror}", hint="set EDITOR") from None
    if code:
        raise Invalid(f"the editor ended with {code}")
    read_settings_file(file)
    text.write(f"{file} is in order.")


@app.command("set-key")
def set_key(
    ctx: typer.Context,
    keyring: Annotated[
        bool | None,
        typer.Option("--keyring/--no-keyring", help="Keep it in the system keyring.", show_default=False),
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Forget it instead.")] = False,
) -> None:
    """Keep the model's API key, from a prompt or on stdin, for its own address alone: `base_url`, or OpenAI's.

    todo config set-key

    todo config set-key --no-keyring < key.txt
    """
    from todo_cli.cli.prompts import read_secret
    from todo_cli.cli.render.escape import escape
    from todo_cli.llm.endpoints import OPENAI, checked_key, host_of
    from todo_cli.settings import credentials
    from todo_cli.settings.settings_file import save_model

    session = session_of(ctx)
    settings = session.make_profile()
    host = host_of(settings.model_base_url or OPENAI)
    if settings.model_keyring:
        with nullcontext() if forget else suppress(Unavailable):
            credentials.delete_model_key(host)
    if forget:
        save_model({"api_key": None, "keyring": None})
        text.write(escape(f"The key for {host} is forgotten."))
        return
    key = checked_key(read_secret(session, "Key: ", what="key"))
    kept = keyring is not False and credentials.store_model_key(host, key)
    if keyring and not kept:
        raise Invalid("there is no system keyring that answers", hint="keep it in the file: --no-keyring")
    path = save_model({"api_key": None if kept else key.reveal(), "keyring": True if kept else None})
    text.write(escape(f"The key for {host} is kept in {'the system keyring' if kept else path}; it goes nowhere else."))
