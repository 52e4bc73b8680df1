"""Where lines come from: a prompt that can be edited, or, in a pipe and on a dumb terminal, plain ones."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Protocol

from todo_cli.cli.render import text
from todo_cli.cli.repl.state import LEAVING, PROMPT, ReplState
from todo_cli.cli.session import Session
from todo_cli.errors import Invalid


class Reader(Protocol):
    """Gives what a person says, one message at a time."""

    dropped: bool
    """Ctrl-C has dropped the default that the last one was to be made of."""

    def read(self, default: str = "") -> str | None:
        """The next one, `default` being there to be edited; None at the end."""
        ...


def open_reader(session: Session, state: ReplState) -> Reader:
    """The prompt, where there is a terminal that can have one."""
    if session.interactive and session.table and os.environ.get("TERM", "dumb") != "dumb":
        from todo_cli.cli.repl.prompt import LinePrompt

        return LinePrompt(session, state)
    return PlainReader(session)


class PlainReader:
    """A line is a message."""

    def __init__(self, session: Session) -> None:
        self.dropped = False
        self._interactive = session.interactive
        with suppress(ImportError):
            import readline  # noqa: F401  # merely loading it gives input() its line editing

    def read(self, default: str = "") -> str | None:
        """Ctrl-C drops what was typed; once more, it leaves. Raises Invalid for what is no text."""
        if default:
            text.note("(say it in other words; it was:)")
            text.note(default)
        for self.dropped in (False, True):
            try:
                return input(PROMPT if self._interactive else "")
            except EOFError:
                break
            except UnicodeDecodeError:
                raise Invalid("the input is not valid UTF-8", hint="convert it first, for example with iconv") from None
            except KeyboardInterrupt:
                if not self._interactive:
                    raise
                if not self.dropped:
                    text.note("\n" + LEAVING)
        if self._interactive:
            sys.stdout.write("\n")
        return None
