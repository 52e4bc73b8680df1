"""What one invocation knows: its settings, its backend, and what it writes to."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from todo_cli.clients.base import Client
    from todo_cli.contract.base import Request
    from todo_cli.settings.settings import Settings

R = TypeVar("R")


class Session:
    """Settings and backend are opened when first needed: help needs neither."""

    def __init__(self, *, profile: str | None, color: bool, debug: bool) -> None:
        self.profile, self._color, self.debug = profile, color, debug
        self.model: str | None = None

    @cached_property
    def settings(self) -> Settings:
        """The configuration; raises Invalid."""
        from todo_cli.settings.settings import load_settings

        return load_settings(self.profile)

    def make_profile(self) -> Settings:
        """The settings, of a profile that need not be there yet; raises Invalid."""
        from todo_cli.settings.settings import load_settings

        self.settings = load_settings(self.profile, allow_new=True)
        return self.settings

    @cached_property
    def backend(self) -> Client:
        """The way to the data; raises NotSignedIn when there is none."""
        from todo_cli.clients.open import open_client

        return open_client(self.settings)

    def send(self, request: Request[R], key: str | None = None) -> R:
        """One request, one answer; raises TodoError."""
        try:
            return self.backend.send_now(request, key)
        finally:
            self.backend.close()

    @property
    def interactive(self) -> bool:
        """There is somebody to ask."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    @property
    def table(self) -> bool:
        """Stdout is a terminal: draw for a person."""
        return sys.stdout.isatty()

    @property
    def color(self) -> bool:
        """Not switched off by --no-color."""
        return self._color

    @property
    def colored(self) -> bool:
        """NO_COLOR and --no-color win over CLICOLOR_FORCE, that over the configuration, that over the terminal."""
        if not self._color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
            return False
        if os.environ.get("CLICOLOR_FORCE", "0") != "0":
            return True
        choice = self.settings.color
        return choice == "always" or (choice == "auto" and sys.stdout.isatty())


def session_of(context: Any) -> Session:
    """The session of a command's context."""
    session: Session = context.find_root().obj
    return session
