"""Check the installation and report problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from todo_cli.cli.commands.doctor_server import describe_pooler_finding, run_server_checks
from todo_cli.cli.findings import FAULT, Check, Finding, Remark, run_check
from todo_cli.cli.options import Json
from todo_cli.cli.session import Session, session_of
from todo_cli.errors import NotAllowed, NotSignedIn

if TYPE_CHECKING:
    from todo_cli.settings.settings import Settings

PANEL = "Account"
app = typer.Typer(add_completion=False)

MAX_CLOCK_SKEW_SECONDS = 60.0


@app.command()
def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Check settings, connection, token, clock, versions and model. Exit with 1 if a check fails.

    Where a server is configured, check its logins, encryption, proxies and
    connections too.

    todo doctor

    todo doctor --json
    """
    findings = _run_checks(session_of(ctx))
    ok = all(finding.state != FAULT for finding in findings)
    if as_json:
        from todo_cli.cli.render import json

        checks = [finding._asdict() | {"ok": finding.state != FAULT} for finding in findings]
        json.write_document({"ok": ok, "checks": checks})
    else:
        _print_findings(findings)
    if not ok:
        raise typer.Exit(1)


def _run_checks(session: Session) -> list[Finding]:
    """Run the checks up to the first fault: the later ones need what has failed.

    On a server the operator's checks follow the settings. None of them needs another.
    """
    findings: list[Finding] = []
    names = list(CHECKS)
    for place, name in enumerate(names):
        finding = run_check(name, CHECKS[name], session)
        if finding.state == FAULT:
            return [*findings, finding._replace(unchecked=tuple(names[place + 1 :]))]
        findings.append(finding)
        if name == "settings" and session.settings.serve_database_url:
            findings += run_server_checks(session)
            if _has_no_list(session):
                return findings
    return findings


def _has_no_list(session: Session) -> bool:
    """Return whether this machine runs a server and nobody uses a list on it."""
    settings = session.settings
    return not (settings.server or settings.database_url or settings.embedded)


def _print_findings(findings: list[Finding]) -> None:
    """Print a line per check; under a fault, indented, what to do and what could not be checked."""
    from todo_cli.cli.render import text
    from todo_cli.cli.render.escape import escape

    for finding in findings:
        text.write(escape(f"{finding.state:<5}  {finding.name:<12}{finding.detail}"))
        if finding.hint:
            text.write(escape(f"{'':<19}→ {finding.hint}"))
        if finding.unchecked:
            text.write(f"{'':<19}not checked without it: {', '.join(finding.unchecked)}")


def _check_version(session: Session) -> str:
    import platform

    from todo_cli import __version__

    return f"todo {__version__}, Python {platform.python_version()}"


def _check_settings(session: Session) -> str:
    settings = session.settings
    return f"{settings.path}{'' if settings.path.exists() else ' (does not exist)'}, profile {settings.profile}"


def _check_connection(session: Session) -> str | Remark:
    """Send a Request. A refused token is an answer too, and the fault of the next check."""
    from todo_cli.contract.users import WhoAmI

    settings, client = session.settings, session.client
    try:
        client.send_now(WhoAmI())
    except (NotAllowed, NotSignedIn):
        pass
    finally:
        client.close()
    if settings.embedded and not settings.server:
        from todo_cli.cli.init_service import describe_way

        return f"local Postgres in {settings.embedded}{describe_way(settings)}"
    return settings.server or _describe_direct_connection(settings)


def _describe_direct_connection(settings: Settings) -> str | Remark:
    """Name the pooler between a direct client and its database."""
    import asyncio

    from todo_cli.db.pooler import find_pooler

    url = settings.database_url
    pooler = asyncio.run(find_pooler(url.reveal())) if url else None
    return describe_pooler_finding(pooler, settings.prepare) if pooler else "direct to a database"


def _check_token(session: Session) -> str:
    me = session.identity
    return f"{me.token} of {me.name} ({', '.join(me.scopes)}), space {me.space} ({me.role})"


def _check_clock(session: Session) -> str:
    from todo_cli.clients.clock_skew import measure_clock_skew
    from todo_cli.errors import Conflict

    seconds = measure_clock_skew(session.settings)
    if abs(seconds) > MAX_CLOCK_SKEW_SECONDS:
        detail = f"this machine's clock differs from the server's by {seconds:+.0f} s"
        raise Conflict(detail, hint="set the clock, for example with NTP")
    return f"{seconds:+.1f} s from the server's"


def _check_zone(session: Session) -> str:
    from todo_cli.cli.time_zone import describe_zone

    return describe_zone(session, session.identity.timezone)


def _check_model(session: Session) -> str | Remark:
    settings, preferred = session.settings, session.identity.model
    if settings.server:
        return f"{preferred} at the server (your preference)" if preferred else "the server's default"
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
        return Remark(f"{error.detail}; only the chat needs one", no_model_error(find_local_servers()).hint)
    names = asyncio.run(fetch_models(endpoint))
    if names and not is_listed(names, endpoint.model):
        raise ModelFailed(
            f"{endpoint.address} does not list the model {endpoint.model[:100]!r}",
            hint=f"it lists: {', '.join(names[:10])}",
            kind="name",
        )
    return f"{endpoint.model} at {endpoint.address}, {'with' if endpoint.api_key else 'without'} a key"


CHECKS: dict[str, Check] = {
    "version": _check_version,
    "settings": _check_settings,
    "connection": _check_connection,
    "token": _check_token,
    "clock": _check_clock,
    "timezone": _check_zone,
    "model": _check_model,
}
