"""Read messages: from an editable prompt, or line by line in a pipe and on a dumb terminal."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Protocol

from todo_cli.cli.render import text
from todo_cli.cli.repl.state import ReplState
from todo_cli.cli.repl.texts import LEAVE_HINT, PROMPT
from todo_cli.cli.session import Session
from todo_cli.errors import Invalid


class Reader(Protocol):
    """Reads what the person types, one message at a time."""

    dropped: bool
    """Whether Ctrl-C has discarded the default of the last read."""

    def read(self, default: str = "") -> str | None:
        """Return the next message, which the person makes from `default`; None at the end."""
        ...


def open_reader(session: Session, state: ReplState) -> Reader:
    """Return the editable prompt if the terminal supports it, else the plain reader."""
    if session.is_interactive and session.is_terminal and os.environ.get("TERM", "dumb") != "dumb":
        from todo_cli.cli.repl.prompt import LinePrompt

        return LinePrompt(session, state)
    return PlainReader(session)


class PlainReader:
    """Reads one message per line."""

    def __init__(self, session: Session) -> None:
        self.dropped = False
        self._is_interactive = session.is_interactive
        with suppress(ImportError):
            import readline  # noqa: F401  # importing it gives input() line editing

    def read(self, default: str = "") -> str | None:
        """Read a line. Ctrl-C discards it, a second Ctrl-C leaves. Raises Invalid for invalid UTF-8."""
        if default:
            text.note("(type the new text; the old one was:)")
            text.note(default)
        for self.dropped in (False, True):
            try:
                return input(PROMPT if self._is_interactive else "")
            except EOFError:
                break
            except UnicodeDecodeError:
                raise Invalid("the input is not valid UTF-8", hint="convert it first, for example with iconv") from None
            except KeyboardInterrupt:
                if not self._is_interactive:
                    raise
                if not self.dropped:
                    text.note("\n" + LEAVE_HINT)
        if self._is_interactive:
            sys.stdout.write("\n")
        return None
