"""The state that the prompt shows and completes from. It is read in threads, while the person types."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from todo_cli.cli.session import Session
from todo_cli.errors import TodoError

if TYPE_CHECKING:
    from todo_cli.contract.tasks import Task


FRESH_SECONDS = 10.0
"""Names read within this time are used for completion."""
MAX_COMPLETED_TASKS = 500
"""Only the open tasks that are due first can be completed."""


class ReplState:
    """The current conversation, as the line below the prompt shows it."""

    def __init__(self, session: Session, number: int | None) -> None:
        self._session, self.number = session, number
        self.title, self.model, self.state = "", "", ""
        self.on_change: Callable[[], None] = lambda: None
        self.cache = ListCache(session)

    def refresh(self) -> None:
        """Read the state again, in a thread."""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        from todo_cli.contract.conversations import ShowConversation
        from todo_cli.contract.users import WhoAmI

        number = self.number
        try:
            if number is not None:
                conversation = send_all(self._session, ShowConversation(number=number, limit=1))[0].conversation
                if number == self.number:
                    self.title, self.model = conversation.title, conversation.model or ""
                    self.state = conversation.state or ""
            else:
                preferred = send_all(self._session, WhoAmI())[0].model
                settings = self._session.settings
                configured = None if settings.server else settings.model_name
                self.title, self.model, self.state = "", preferred or configured or "", ""
        except TodoError:
            return
        self.on_change()


class ListCache:
    """Tasks, projects and tags that words can be completed to."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.tasks: tuple[Task, ...] = ()
        self.projects: tuple[str, ...] = ()
        self.tags: tuple[str, ...] = ()
        self._read_at: float | None = None
        self._reading: threading.Thread | None = None

    def invalidate(self) -> None:
        """Read the list again at the next use, because it may have changed."""
        self._read_at = None

    @property
    def is_ready(self) -> bool:
        """Whether the cache is fresh; if it is not, start to read it."""
        if self._read_at is not None and time.monotonic() - self._read_at < FRESH_SECONDS:
            return True
        if self._reading is None or not self._reading.is_alive():
            self._reading = threading.Thread(target=self._read, daemon=True)
            self._reading.start()
        return False

    def _read(self) -> None:
        from todo_cli.contract.tasks import ListTasks
        from todo_cli.contract.views import ListProjects, ListTags

        requests = (ListTasks(limit=MAX_COMPLETED_TASKS), ListProjects(), ListTags())
        try:
            page, projects, tags = send_all(self._session, *requests)
        except TodoError:
            return
        self.tasks = page.tasks
        self.projects = tuple(project.name for project in projects.used)
        self.tags = tuple(tag.name for tag in tags.used)
        self._read_at = time.monotonic()


def send_all(session: Session, *requests: Any) -> list[Any]:
    """Send the reads as one over a connection of their own, which is safe in a thread; raises TodoError."""
    from todo_cli.clients.open import open_client
    from todo_cli.contract.batch import make_batch, read_answers

    client = open_client(session.settings)
    try:
        return read_answers(requests, client.send_now(make_batch(*requests)))
    finally:
        client.close()
