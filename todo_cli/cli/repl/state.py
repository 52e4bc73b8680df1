"""What is known of the conversation and the list while somebody types: looked up behind the prompt."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from todo_cli.cli.session import Session
from todo_cli.errors import TodoError

if TYPE_CHECKING:
    from todo_cli.contract.tasks import Task

PROMPT = "todo> "
LEAVING = "(Ctrl-C once more leaves, as Ctrl-D does)"

FRESH_SECONDS = 10.0
"""Seconds for which what was looked up is good enough to complete words with."""
MAX_COMPLETED_TASKS = 500
"""Tasks that can be completed: the open ones that are due first."""


class ReplState:
    """The conversation, for the line below the prompt."""

    def __init__(self, session: Session, number: int | None) -> None:
        self._session, self.number = session, number
        self.title, self.model, self.state = "", "", ""
        self.changed: Callable[[], None] = lambda: None
        self.known = ListCache(session)

    def look(self) -> None:
        """Look again, in a thread of its own."""
        threading.Thread(target=self._look, daemon=True).start()

    def _look(self) -> None:
        from todo_cli.contract.conversations import ShowConversation
        from todo_cli.contract.users import WhoAmI

        number = self.number
        try:
            if number is not None:
                found = send_all(self._session, ShowConversation(number=number, limit=1))[0].conversation
                if number == self.number:
                    self.title, self.model, self.state = found.title, found.model or "", found.state or ""
            else:
                preferred = send_all(self._session, WhoAmI())[0].model
                settings = self._session.settings
                here = None if settings.server else settings.model_name
                self.title, self.model, self.state = "", preferred or here or "", ""
        except TodoError:
            return
        self.changed()


class ListCache:
    """What words can be completed to."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.tasks: tuple[Task, ...] = ()
        self.projects: tuple[str, ...] = ()
        self.tags: tuple[str, ...] = ()
        self._at: float | None = None
        self._looking: threading.Thread | None = None

    def forget(self) -> None:
        """Something may have changed."""
        self._at = None

    @property
    def ready(self) -> bool:
        """Whether it is good enough; starts a look where it is not."""
        if self._at is not None and time.monotonic() - self._at < FRESH_SECONDS:
            return True
        if self._looking is None or not self._looking.is_alive():
            self._looking = threading.Thread(target=self._look, daemon=True)
            self._looking.start()
        return False

    def _look(self) -> None:
        from todo_cli.contract.tasks import ListTasks
        from todo_cli.contract.views import ListProjects, ListTags

        try:
            page, projects, tags = send_all(
                self._session, ListTasks(limit=MAX_COMPLETED_TASKS), ListProjects(), ListTags()
            )
        except TodoError:
            return
        self.tasks = page.tasks
        self.projects = tuple(one.name for one in projects.used)
        self.tags = tuple(one.name for one in tags.used)
        self._at = time.monotonic()


def send_all(session: Session, *requests: Any) -> list[Any]:
    """The answers, over a connection of this thread's own; raises TodoError."""
    from todo_cli.clients.open import open_client

    backend = open_client(session.settings)
    try:
        return [backend.send_now(one) for one in requests]
    finally:
        backend.close()
