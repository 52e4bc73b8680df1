"""The state of one invocation: its settings, its client, and the kind of its streams."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, tzinfo

    from todo_cli.cli.json_options import JsonOptions
    from todo_cli.clients.base import Client
    from todo_cli.contract.base import Request
    from todo_cli.contract.clock import Clock
    from todo_cli.contract.display import DisplayPreferences
    from todo_cli.contract.tasks import Task
    from todo_cli.contract.users import Identity
    from todo_cli.settings.settings import Settings

R = TypeVar("R")


class Session:
    """Settings and client are opened on first use: help needs neither."""

    def __init__(
        self, *, profile: str | None, color: bool, pager: bool, debug: bool, fences: Sequence[str] = ()
    ) -> None:
        self._fences = fences
        self.profile, self.allow_color, self.allow_pager, self.debug = profile, color, pager, debug
        self.model: str | None = None
        self.quiet = False
        self.is_prompt = False  # of `todo chat`
        self.format: Literal["table", "tsv"] | None = None  # of --format
        self.json_options: JsonOptions | None = None

    @cached_property
    def settings(self) -> Settings:
        """Load the settings; raises Invalid."""
        from todo_cli.settings.settings import load_settings

        settings = load_settings(self.profile)
        if not self._fences:
            return settings
        from todo_cli.contract.keys import parse_fences

        return settings.replace(fences=parse_fences(self._fences))

    def create_profile(self) -> Settings:
        """Load the settings of a profile that may not exist yet; raises Invalid."""
        from todo_cli.settings.settings import load_settings

        self.settings = load_settings(self.profile, allow_new=True)
        return self.settings

    @cached_property
    def client(self) -> Client:
        """Open the connection to the server or the database; raises NotSignedIn when none is configured."""
        from todo_cli.clients.open import open_client

        return open_client(self.settings)

    def send(self, request: Request[R], key: str | None = None) -> R:
        """Send one Request and return its answer; raises TodoError."""
        try:
            return self.client.send_now(request, key)
        finally:
            self.client.close()

    def send_anonymously(self, request: Request[R]) -> R:
        """Send a Request that needs no token to the server of the settings; raises TodoError."""
        from todo_cli.clients.http import HttpClient

        return HttpClient(self.settings, is_anonymous=True).send_now(request)

    @property
    def clock(self) -> Clock:
        """The database's time at the last answer and the user's time zone; this machine's time before the first."""
        from datetime import UTC, datetime

        from todo_cli.contract.clock import Clock

        return self.client.clock or Clock(datetime.now(UTC), self.settings.timezone or "UTC")

    def ask_clock(self) -> None:
        """Ask for the user's clock and preferences, unless an answer has brought them; raises TodoError."""
        from todo_cli.contract.users import WhoAmI

        if self.client.clock is None:
            self.send(WhoAmI())

    @cached_property
    def identity(self) -> Identity:
        """Ask once who is signed in; raises TodoError."""
        from todo_cli.contract.users import WhoAmI

        return self.send(WhoAmI())

    @property
    def display(self) -> DisplayPreferences:
        """The preferences by which the user wants the last answer shown; the defaults before the first answer."""
        from todo_cli.contract.display import NO_DISPLAY_PREFERENCES

        return self.client.display if "client" in vars(self) else NO_DISPLAY_PREFERENCES

    @property
    def absolute_dates(self) -> bool:
        """Whether the user wants dates as 2026-12-24 09:00 and no ages."""
        return self.display.dates == "absolute"

    def send_all(self, *requests: Request[Any]) -> list[Any]:
        """Send several reads as one Request and return their answers, all of one moment; raises the first error."""
        from todo_cli.contract.batch import make_batch, read_answers

        return read_answers(requests, self.send(make_batch(*requests)))

    def local_now(self) -> datetime:
        """Return the database's time at the last answer, in the user's time zone."""
        return self.clock.now.astimezone(self.load_zone())

    def load_zone(self) -> tzinfo:
        """Return the user's time zone."""
        from todo_cli.parsing.dates import zone_of

        return zone_of(self.clock.zone)

    def load_zone_for(self, tasks: Iterable[Task]) -> tzinfo | None:
        """Return the user's time zone, but load it only if one of the tasks has a date."""
        absolute = self.absolute_dates
        has_date = any(
            task.due or task.defer or task.scheduled or task.repeat or task.remind or (absolute and task.started_at)
            for task in tasks
        )
        return self.load_zone() if has_date else None

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked: stdin and stderr are terminals."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def choose_format(self, format: Literal["table", "tsv"] | None) -> None:
        """Print screens into a pipe (`table`), or the lines of a pipe on a terminal (`tsv`)."""
        self.format = format

    @property
    def is_terminal(self) -> bool:
        """Whether output has the form for a terminal: stdout is one, or --format chooses it."""
        return sys.stdout.isatty() if self.format is None else self.format == "table"

    @property
    def use_color(self) -> bool:
        """Whether stdout gets colours: by flags, the environment, the settings, the terminal, the preferred theme."""
        if not self.allow_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        if os.environ.get("CLICOLOR_FORCE", "0") != "0" or os.environ.get("FORCE_COLOR", "0") != "0":
            return True
        choice = self.settings.color
        return choice == "always" or (choice == "auto" and sys.stdout.isatty() and self.display.theme != "none")


def session_of(context: Any) -> Session:
    """Return the session of a command's context."""
    session: Session = context.find_root().obj
    return session
