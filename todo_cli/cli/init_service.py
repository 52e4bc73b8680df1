"""What `todo init` does with the local service: turn it on or off, start it at boot, show it, stop it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from todo_cli.cli.render import text
from todo_cli.cli.session import Session
from todo_cli.errors import NotFound
from todo_cli.local_postgres.cluster import LocalPostgres
from todo_cli.local_service.boot import describe_boot_entry, install_boot_entry, uninstall_boot_entry
from todo_cli.local_service.identity import read_memory
from todo_cli.local_service.places import find_socket, uses_local_service
from todo_cli.local_service.process import ServicePlace
from todo_cli.local_service.start import start_in_background
from todo_cli.settings.settings import Settings


def place_of(session: Session, postgres: LocalPostgres) -> ServicePlace:
    """Return the place of the service beside this Postgres."""
    return ServicePlace(postgres.home, session.settings)


def switch_service(session: Session, postgres: LocalPostgres, *, is_on: bool) -> None:
    """Remember in the profile whether commands use the service, and end one that is not wanted any more."""
    from todo_cli.settings.settings_file import save_profile

    if session.settings.service != is_on:
        save_profile(session.settings.profile, {"service": None if is_on else False})
        session.create_profile()
    if not is_on:
        uninstall_boot_entry(session.settings)
        place_of(session, postgres).stop()


def start_service(session: Session) -> None:
    """Start the service of the profile's list in the background, where it is wanted."""
    settings = session.create_profile()
    if settings.embedded and settings.service:
        start_in_background(settings, is_forced=True)


def install_service(session: Session, postgres: LocalPostgres) -> None:
    """Let the system start the service at boot; raises NotFound without a list, and Unavailable."""
    _require_list(session.settings, postgres)
    switch_service(session, postgres, is_on=True)
    place_of(session, postgres).stop()
    path = install_boot_entry(session.settings)
    text.write(f"The service starts at boot: {path}")
    if sys.platform == "linux" and "user" in path.parts:
        text.note("It starts when you first log in. To start it before that, run: loginctl enable-linger")


def uninstall_service(session: Session) -> None:
    """Let the service start with the first command again."""
    path = uninstall_boot_entry(session.settings)
    text.write(f"Removed {path}. Commands start the service on demand." if path else "The service is not installed.")


def _require_list(settings: Settings, postgres: LocalPostgres) -> None:
    if not settings.embedded or not postgres.exists():
        raise NotFound(f"the profile {settings.profile!r} has no local list", hint="create one with: todo init")


def read_service_status(session: Session, postgres: LocalPostgres) -> dict[str, Any]:
    """Return the state of the service: `memory` is in bytes, `at_boot` names the file that starts it."""
    place, entry = place_of(session, postgres), describe_boot_entry(session.settings)
    pid = place.running()
    return {
        "enabled": session.settings.service,
        "running": pid,
        "memory": read_memory(pid) if pid else None,
        "at_boot": str(entry.path) if entry.path.exists() else None,
        "log": str(place.directory / "service.log"),
    }


def describe_way(settings: Settings) -> str:
    """Return the end of a sentence: whether commands reach the local Postgres through a service."""
    if not uses_local_service(settings):
        return ", without a service"
    is_there = find_socket(settings.embedded or "", settings.path)
    return ", through its service" if is_there else "; its service starts with the next command"


def print_service_status(status: dict[str, Any]) -> None:
    """Print the state in one or two lines."""
    if status["running"]:
        memory = f", {status['memory'] / 1_000_000:,.0f} MB of memory" if status["memory"] else ""
        text.write(f"Local service: running{memory} (process {status['running']})")
    elif not status["enabled"]:
        text.write("Local service: off. Turn it on with: todo init --service")
    else:
        text.write("Local service: stopped; the next command starts it")
        if _has_messages(Path(status["log"])):
            text.note(f"Its messages are in {status['log']}")
    if status["at_boot"]:
        text.write(f"It starts at boot: {status['at_boot']}")


def _has_messages(log: Path) -> bool:
    try:
        return log.stat().st_size > 0
    except OSError:
        return False
