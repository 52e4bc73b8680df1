"""Backends as a person has them, made in this process: for what must run in many threads at once."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Person
from todo_cli.clients.direct import DirectClient
from todo_cli.clients.http import HttpClient
from todo_cli.contract.base import Secret
from todo_cli.settings.settings import Settings


def settings(person: Person, *, server: str | None = None, space: str | None = None, timeout: float = 30) -> Settings:
    """Over a server when one is named, else direct."""
    return Settings(
        path=Path("none"),
        profile="default",
        color="never",
        timeout=timeout,
        server=server,
        database_url=Secret(person.database_url),
        embedded=None,
        token=Secret(person.token),
        keyring=False,
        space=space,
        timezone="UTC",
        serve_database_url=None,
        serve_owner_url=None,
        serve_pool_size=10,
        serve_connections=800,
        serve_proxies="",
    )


def over(server: str, person: Person, space: str | None = None, timeout: float = 30) -> HttpClient:
    """Through a server."""
    return HttpClient(settings(person, server=server, space=space, timeout=timeout))


def straight(person: Person, timeout: float = 30) -> DirectClient:
    """To the database."""
    return DirectClient(settings(person, timeout=timeout))
