"""The checks of `todo doctor` on a server, and of the pooler in front of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from todo_cli.cli.findings import FAULT, Check, Finding, Remark, run_check
from todo_cli.cli.session import Session
from todo_cli.errors import TodoError

if TYPE_CHECKING:
    from todo_cli.db.pooler import Pooler


def run_server_checks(session: Session) -> list[Finding]:
    """Check what the operator of a server may have misconfigured. None of the checks needs another."""
    from todo_cli.server import operator_checks as checks

    settings = session.settings
    url = settings.serve_database_url.reveal() if settings.serve_database_url else ""
    try:
        state = checks.read_database_state(url)
    except TodoError as error:
        return [Finding("database", FAULT, error.detail, error.hint)]
    server_checks: dict[str, Check] = {
        "logins": lambda _: checks.check_logins(url, state),
        "encryption": lambda _: checks.check_encryption(state),
        "proxies": lambda _: checks.check_trusted_proxies(settings.serve_proxies),
        "connections": lambda _: checks.check_connections(state, settings.serve_pool_size),
        "pooler": lambda _: describe_pooler_finding(state.pooler, settings.serve_prepare),
        "rights": lambda _: _describe_shared_rights(state.shared_rights),
    }
    if worker_url := settings.worker_database_url:
        server_checks["worker"] = lambda _: checks.check_worker(worker_url.reveal())
    return [run_check(name, check, session) for name, check in server_checks.items()]


def describe_pooler_finding(pooler: Pooler | None, prepare: str) -> str | Remark:
    """Name the pooler, what works behind it, and what to change."""
    from todo_cli.db.pooler import advise_on_pooler, describe_pooler

    if pooler is None:
        return "none in front of the database"
    description, advice = describe_pooler(pooler, prepare), advise_on_pooler(pooler, prepare)
    return Remark(description, advice) if advice else description


def _describe_shared_rights(rights: str) -> str | Remark:
    """Name the rights that Postgres gives to everybody, which only a superuser can take away."""
    if rights:
        return Remark(f"direct logins may {rights}", "a superuser can take that away: see SECURITY.md")
    return "direct logins can neither connect to other databases nor store large objects"
