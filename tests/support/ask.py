"""Send Requests over each client, opened as a command opens it: `ask` as a new user, `ask_as` as any user."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from msgspec import UNSET

from tests.conftest import Person
from todo_cli.clients.base import Client
from todo_cli.clients.open import open_client
from todo_cli.contract.base import Request, Secret
from todo_cli.contract.tasks import AddTask, AddTasks, NewTask, ShowTask, Task
from todo_cli.settings.settings import Settings

R = TypeVar("R")


class Ask:
    """A client as a function, with shortcuts for frequent Requests."""

    def __init__(self, backend: Client, who: Person, way: str) -> None:
        self.backend, self.who, self.way = backend, who, way

    def __call__(self, request: Request[R], key: str | None = None) -> R:
        """Send a Request and return the answer; raises TodoError."""
        return self.backend.send_now(request, key)

    def add(self, title: str = "Task", **fields: Any) -> Task:
        """Add a task."""
        return self(AddTask(title=title, **fields))

    def add_all(self, *titles: str) -> tuple[Task, ...]:
        """Add several tasks in one Request."""
        return self(AddTasks(tasks=tuple(NewTask(title=title) for title in titles))).tasks

    def show(self, number: int) -> Task:
        """Return the task as it is stored, without its computed fields."""
        found = self(ShowTask(number=number))
        return msgspec.structs.replace(
            found,
            **dict.fromkeys(
                ("blocked", "urgency", "subtasks", "subtasks_done", "comments", "attachments", "links"), UNSET
            ),
        )


AskAs = Callable[..., Ask]


def settings_of(who: Person, way: str, **more: Any) -> Settings:
    """Return the settings of a user of this client."""
    server = more.pop("server", None)
    where = {
        "server": server if way == "api" else None,
        "database_url": Secret(who.database_url) if way == "direct" else None,
    }
    given: dict[str, Any] = {
        "path": Path("nowhere"),
        "profile": "default",
        "color": "auto",
        "timeout": 30.0,
        "embedded": None,
        "token": Secret(who.token),
        "keyring": False,
        "space": None,
        "timezone": "Europe/Berlin",
        "serve_database_url": None,
        "serve_owner_url": None,
        "serve_pool_size": 1,
        "serve_connections": 800,
        "serve_proxies": "",
    }
    return Settings(**(given | where | more))


@pytest.fixture
def ask_as(request: pytest.FixtureRequest, way: str) -> Iterator[AskAs]:
    """Return a function that sends Requests as any user, over each client: ask_as(person, token=…, space=…, timezone=…)."""
    opened: list[Ask] = []

    def open_as(who: Person, token: str | None = None, **more: Any) -> Ask:
        if way == "api":
            more.setdefault("server", request.getfixturevalue("server").url)
        opened.append(Ask(open_client(settings_of(who, way, token=Secret(token or who.token), **more)), who, way))
        return opened[-1]

    yield open_as
    for one in opened:
        one.backend.close()


@pytest.fixture
def ask(person: Person, ask_as: AskAs) -> Ask:
    """Return a function that sends Requests as a new user, over each client."""
    return ask_as(person)
