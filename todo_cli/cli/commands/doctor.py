"""Check the installation and name what to fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import typer

from todo_cli.cli.options import Json
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import TodoError

PANEL = "Account"
app = typer.Typer(add_completion=False)

CLOCK_SLACK = 60.0  # seconds


class Finding(NamedTuple):
    """What one check found, and what to do about it."""

    name: str
    ok: bool
    detail: str
    hint: str = ""


@app.command()
def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Check settings, reachability, token, clock, versions and model, and say what to do; 1 where something is wrong.

    todo doctor

    todo doctor --json
    """
    session = session_of(ctx)
    findings: list[Finding] = []
    for name, check in CHECKS.items():
        found = _checked(name, check, session)
        findings.append(found)
        if not found.ok:
            break
    if as_json:
        from todo_cli.cli.render import json

        json.write_document({"ok": all(one.ok for one in findings), "checks": [one._asdict() for one in findings]})
    else:
        _text(findings)
    if not all(one.ok for one in findings):
        raise typer.Exit(1)


def _text(findings: list[Finding]) -> None:
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    for one in findings:
        text.write(escape(f"{'ok   ' if one.ok else 'FAULT'}  {one.name:<10}{one.detail}"))
        if not one.ok and one.hint:
            text.write(escape(f"       {'':<10}→ {one.hint}"))


def _checked(name: str, check: Callable[[Session], str], session: Session) -> Finding:
    try:
        return Finding(name, True, check(session))
    except TodoError as error:
        return Finding(name, False, error.detail, error.hint if "doctor" not in error.hint else "is it running?")


def _version(session: Session) -> str:
    import platform

    from todo_cli import __version__

    return f"todo {__version__}, Python {platform.python_version()}"


def _settings(session: Session) -> str:
    settings = session.settings
    return f"{settings.path}{'' if settings.path.exists() else ' (absent)'}, profile {settings.profile}"


def _way(session: Session) -> str:
    session.backend  # noqa: B018  # opening it is the check
    settings = session.settings
    return settings.server or (f"embedded in {settings.embedded}" if settings.embedded else "direct to a database")


def _token(session: Session) -> str:
    from todo_cli.contract.users import WhoAmI

    me: Any = session.send(WhoAmI())
    return f"{me.token} of {me.name} ({', '.join(me.scopes)}), space {me.space} ({me.role})"


def _clock(session: Session) -> str:
    from todo_cli.clients.clock_skew import measure_clock_skew
    from todo_cli.errors import Conflict

    seconds = measure_clock_skew(session.settings)
    if abs(seconds) > CLOCK_SLACK:
        raise Conflict(
            f"this machine's clock is {seconds:+.0f} s off the server's", hint="set it, for example with NTP"
        )
    return f"{seconds:+.1f} s off the server's"


def _model(session: Session) -> str:
    from todo_cli.contract.users import WhoAmI

    settings, preferred = session.settings, session.send(WhoAmI()).model
    if settings.server:
        return f"{preferred}, as you prefer, at the server's" if preferred else "the server's own"
    import asyncio

    from todo_cli.errors import ModelFailed
    from todo_cli.llm.catalog import fetch_models, is_listed
    from todo_cli.llm.endpoints import find_local_servers, no_model_error
    from todo_cli.llm.selection import select_endpoint

    try:
        endpoint = select_endpoint(settings, preferred=preferred)
    except ModelFailed as error:
        if error.extra.get("kind") != "missing":
            raise
        return f"{error.detail} (for chat only): {no_model_error(find_local_servers()).hint}"
    names = asyncio.run(fetch_models(endpoint))
    if names and not is_listed(names, endpoint.model):
        raise ModelFailed(
            f"{endpoint.address} does not list the model {endpoint.model[:100]!r}",
            hint=f"it lists: {', '.join(names[:10])}", kind="name",
        )  # fmt: skip
    return f"{endpoint.model} at {endpoint.address}, {'with' if endpoint.api_key else 'without'} a key"


CHECKS: dict[str, Callable[[Session], str]] = {
    "version": _version,
    "settings": _settings,
    "way in": _way,
    "token": _token,
    "clock": _clock,
    "model": _model,
}
