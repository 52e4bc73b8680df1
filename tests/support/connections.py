"""Connections as somebody's: `Line` runs Requests on one of them, `raw` is what a person with psql has."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
import pytest

from tests.conftest import Database, Person
from todo_cli.contract.base import Caller, Request, Secret
from todo_cli.contract.ids import new_id, new_token, token_hash
from todo_cli.core.dispatch import handle
from todo_cli.db.pipeline import connect
from todo_cli.db.transaction import Transaction

R = TypeVar("R")
Raw = psycopg.Connection[Any]


class Line:
    """One connection kept from request to request, as the direct backend and a server's pool keep theirs."""

    def __init__(self, url: str, who: Person) -> None:
        self.who = who
        self.runner = asyncio.Runner()
        try:
            self.connection = self.runner.run(connect(url))
        except BaseException:
            self.runner.close()
            raise

    def __call__(self, request: Request[R], **caller: Any) -> R:
        """The answer; raises TodoError. `caller` may name another token, a space, a key, a zone, or bring a count."""
        return self.runner.run(self.send(request, **caller))

    async def send(self, request: Request[R], **caller: Any) -> R:
        """As calling it, from a loop."""
        token = caller.pop("token", self.who.token)
        count = caller.pop("count", None)
        given = {"zone": "Europe/Berlin", "way": "test"} | caller
        tx = Transaction(self.connection, Caller(token=Secret(token), **given), type(request), count)
        return await handle(tx, request)

    def close(self) -> None:
        """End it."""
        with suppress(psycopg.Error):
            self.runner.run(self.connection.close())
        self.runner.close()


def raw(url: str, **settings: str) -> Raw:
    """What a person with psql has: raw(url, token=…, user=…, space=…) sets what the policies look at."""
    connection = psycopg.connect(url, autocommit=True)
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", [f"app.{name}", value])
    return connection


def signed(who: Person, **more: str) -> Raw:
    """A person's own login with their own token set, or with whatever `more` says instead."""
    return raw(who.database_url, **({"token": who.token, "user": who.user_id, "space": who.user_id} | more))


def token_for(db: Database, who: Person, *scopes: str) -> str:
    """One more token of a person's, made by the owner."""
    token = new_token(who.user_id)
    db.execute(
        "INSERT INTO todo.tokens (user_id, id, name, hash, scopes) VALUES (%s, %s, %s, decode(%s, 'hex'), %s)",
        who.user_id,
        new_id(),
        uuid4().hex,
        token_hash(token),
        list(scopes),
    )
    return token.reveal()


def share(db: Database, space: str, who: Person, role: str) -> None:
    """Make somebody a member of a space."""
    db.execute("INSERT INTO todo.members (space_id, user_id, role) VALUES (%s, %s, %s)", space, who.user_id, role)


@pytest.fixture
def line(db: Database) -> Iterator[Callable[..., Line]]:
    """Open lines: line(person) by their own login, line(person, served=True) as a server does."""
    opened: list[Line] = []

    def open_line(who: Person, *, served: bool = False, database: Database | None = None) -> Line:
        opened.append(Line((database or db).server_url if served else who.database_url, who))
        return opened[-1]

    yield open_line
    for one in opened:
        one.close()
