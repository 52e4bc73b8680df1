"""The conversation at a prompt. Plain lines go to the model; what begins with / is a command, and needs none."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from contextlib import suppress

import typer

from todo_cli.backends.talk import Outcome
from todo_cli.cli import talking
from todo_cli.cli.ask import conversation_id
from todo_cli.cli.render import text
from todo_cli.cli.render.talk import Screen
from todo_cli.cli.report import report
from todo_cli.cli.session import Session
from todo_cli.contract.conversations import ShowConversation
from todo_cli.errors import Invalid, TodoError
from todo_cli.main import COMMANDS
from todo_cli.main import run as run_command

HELP = """\
Plain words go to the model. Ctrl-C stops its answer; Ctrl-D or /exit ends.
  /add 'Buy milk' --due friday, /list, /done 3 …   any todo command, without the model
  /undo, /redo          what this conversation's last turn changed; before its first turn, your last change
  /resume               follow an answer that was left, or runs elsewhere
  /stop                 end a turn that waits or runs elsewhere
  /conversations        list them; todo chat -c N goes on with one
  /help, /exit"""


class Repl:
    """One conversation; it has a number once something was said."""

    def __init__(self, session: Session, conversation: str, number: int | None) -> None:
        self._session, self._conversation, self._number = session, conversation, number
        self._own: dict[str, Callable[[], object]] = {
            "help": lambda: text.write(HELP),
            "conversations": lambda: self._command(["chat", "list"]),
            "undo": lambda: self._command(self._inverse("undo")),
            "redo": lambda: self._command(self._inverse("redo")),
            "stop": self._stop,
            "resume": self._resume,
        }

    def line(self, line: str) -> bool:
        """Do what a line says; False for the end."""
        line = line.strip()
        if line in ("/exit", "/quit"):
            return False
        if line.startswith("/"):
            self._slash(line[1:])
        elif line:
            self._say(line)
        return True

    def _slash(self, line: str) -> None:
        try:
            words = shlex.split(line)
        except ValueError as error:
            text.note(f"todo: {str(error).lower()}")
            return
        if len(words) == 1 and words[0] in self._own:
            self._own[words[0]]()
        elif words and (words[0] in COMMANDS or words[0].startswith("-")):
            self._command(words)
        else:
            text.note("todo: there is no such command (see: /help)")

    def _command(self, words: list[str]) -> None:
        profile = ["--profile", self._session.profile] if self._session.profile else []
        # a usage error or --help ends the command, not the conversation
        with suppress(SystemExit):
            run_command([*profile, *words])

    def _inverse(self, word: str) -> list[str]:
        return ["chat", word, str(self._number)] if self._number else [word]

    def _stop(self) -> None:
        if self._number:
            self._command(["chat", "stop", str(self._number)])
        else:
            text.note("todo: nothing runs here")

    def take_up(self) -> None:
        """What was left here in the middle, or waits for an answer, comes first."""
        if self._number is None:
            return
        state = self._session.send(ShowConversation(number=self._number, limit=1)).conversation.state
        if state in ("running", "answered") or (state == "awaiting" and self._session.interactive):
            self._resume()

    def _resume(self) -> None:
        number = self._number
        if number is None:
            text.note("todo: nothing was said here yet")
            return
        screen = Screen("text", live=self._session.table)
        self._settled(lambda: talking.resume(self._session, number, screen))

    def _say(self, words: str) -> None:
        screen = Screen("text", live=self._session.table)

        def said() -> None:
            begin = talking.said(self._conversation, words)
            talking.settle(self._session, begin, screen, yes=False, seen=self._seen)

        self._settled(said)

    def _settled(self, turn: Callable[[], object]) -> None:
        try:
            turn()
        except TodoError as error:
            report(error, as_json=False)
        except typer.Exit:
            return  # stopped, and said so
        except KeyboardInterrupt:
            text.note("(left before it had stopped; /resume follows it)")

    def _seen(self, outcome: Outcome) -> None:
        self._number = outcome.number


def repl(session: Session, named: str) -> None:
    """Until Ctrl-D, /exit, or the end of the input."""
    conversation = conversation_id(session, named)
    one = Repl(session, conversation, None if named == "new" else int(named))
    with suppress(ImportError):
        import readline  # noqa: F401  # merely loading it gives input() its line editing
    if session.interactive:
        text.note("Talk to your list; /help says what else can be typed, /exit ends.")
    one.take_up()
    while (line := _asked(session)) is not None:
        if not one.line(line):
            return


def _asked(session: Session) -> str | None:
    """The next line; None at the end. Ctrl-C only drops what was typed."""
    while True:
        try:
            return input("todo> " if session.interactive else "")
        except EOFError:
            if session.interactive:
                sys.stdout.write("\n")
            return None
        except UnicodeDecodeError:
            raise Invalid("the input is not valid UTF-8", hint="convert it first, for example with iconv") from None
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            if not session.interactive:
                raise
