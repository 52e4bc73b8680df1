"""One conversation after the other: what is said goes to the model, what begins with a slash is done."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import typer

from todo_cli.cli.commands.ask import conversation_id
from todo_cli.cli.error_output import print_error
from todo_cli.cli.options import parse_model_name
from todo_cli.cli.prompts import ask_yes_no
from todo_cli.cli.render import text
from todo_cli.cli.render.changes import format_difference
from todo_cli.cli.render.escape import escape
from todo_cli.cli.repl import slash_commands
from todo_cli.cli.repl.reader import Reader
from todo_cli.cli.repl.state import ReplState
from todo_cli.cli.run import run as run_command
from todo_cli.cli.session import Session
from todo_cli.command_table import COMMANDS
from todo_cli.contract.conversations import ForkConversation, RewindTurn, ShowConversation, UndoTurn
from todo_cli.contract.ids import new_id
from todo_cli.errors import Conflict, Invalid, TodoError
from todo_cli.turn_client.outcome import TurnOutcome

LOOKBACK_MESSAGES = (20, 1_000)
"""Messages in which the last thing said is looked for: most turns have few, the longest some hundred."""


class Repl:
    """It has a conversation, which has a number once something was said in it."""

    def __init__(self, session: Session, conversation: str, state: ReplState, read: Reader) -> None:
        self._session, self._conversation, self._state, self._reader = session, conversation, state, read
        self._model = session.model
        self._default = ""
        self._replaced: str | None = None
        self._ends = False
        self._own: dict[str, Callable[[list[str]], object]] = {
            "undo": lambda _: self._command([*self._last("undo")]),
            "redo": lambda _: self._command([*self._last("redo")]),
            "retry": lambda _: self._retry(),
            "edit": lambda _: self._edit(),
            "stop": lambda _: self._here("stop", none="nothing runs here"),
            "approve": lambda words: self._command(["chat", "approve", *words]) if words else self._resume(),
            "resume": lambda words: self._go_on(words[0]) if words else self._resume(),
            "new": lambda _: self._open(new_id(), None),
            "fork": self._fork,
            "conversations": lambda words: self._command(["chat", "list", *words]),
            "history": lambda words: self._here("show", *(["-n", *words] if words else [])),
            "search": lambda words: self._command(["chat", "search", *words]),
            "rename": lambda words: self._here("rename", *words),
            "model": self._use,
            "usage": lambda words: self._command(["chat", "usage", *words]),
            "export": lambda words: self._here("export", *words),
            "todo": self._command,
            "help": lambda words: (
                self._command([*words, "--help"]) if words else text.write(slash_commands.help_text())
            ),
            "exit": lambda _: self._end(),
        }

    @property
    def _number(self) -> int | None:
        return self._state.number

    def run(self) -> None:
        """Until the end: what was left here in the middle, or waits for an answer, comes first."""
        self._safely(self._take_up)
        while not self._ends:
            default, self._default = self._default, ""
            line = self._reader.read(default)
            if line is None:
                return
            if self._reader.dropped or not line.strip():
                self._replaced = None
            if not line.strip():
                continue
            self._safely(lambda line=line: self._line(line))  # type: ignore[misc]
            self._state.known.forget()

    def _end(self) -> None:
        self._ends = True

    def _safely(self, step: Callable[[], object]) -> None:
        """Whatever goes wrong, and whenever Ctrl-C comes: it is said, and the prompt is there again."""
        try:
            step()
        except TodoError as error:
            print_error(error, as_json=False)
        except typer.Exit:
            pass  # stopped, and said so
        except EOFError:
            self._end()
        except KeyboardInterrupt:
            text.note("\n(left; /resume follows what still runs)" if self._number else "\n(left)")

    def _line(self, line: str) -> None:
        if not line.lstrip().startswith("/"):
            self._say(line)
            return
        self._replaced = None
        words = slash_commands.split_words(line.strip()[1:])
        if words and words[0] == "quit":
            words[0] = "exit"
        if words and slash_commands.is_chat_command(words):
            self._own[words[0]](words[1:])
        elif words and (words[0] in COMMANDS or words[0].startswith("-")):
            self._command(words)
        else:
            raise slash_commands.unknown_command(words[0] if words else "")

    def _command(self, words: list[str]) -> None:
        if words == ["chat"]:
            raise Invalid("this is it", hint="another conversation: /new, or /resume N")
        ahead = ["--profile", self._session.profile] if self._session.profile else []
        ahead += [] if self._session.color else ["--no-color"]
        # a usage error or --help ends the command, not the conversation
        with suppress(SystemExit):
            run_command([*ahead, *words])

    def _last(self, word: str) -> list[str]:
        """Before something was said here, it is the person's own last change."""
        return ["chat", word, str(self._number)] if self._number else [word]

    def _here(self, word: str, *words: str, none: str = "nothing was said here yet") -> None:
        """A command of `todo chat` on this conversation."""
        if self._number is None:
            raise Invalid(none)
        self._command(["chat", word, str(self._number), *words])

    def _open(self, conversation: str, number: int | None) -> None:
        self._conversation, self._state.number, self._session.model = conversation, number, self._model
        self._state.title = ""

    def _go_on(self, named: str) -> None:
        """With another conversation."""
        self._open(conversation_id(self._session, named), int(named))
        self._take_up()

    def _fork(self, words: list[str]) -> None:
        if self._number is None:
            raise Invalid("nothing was said here yet")
        if words and not (words[0].isascii() and words[0].isdigit() and len(words[0]) < 19):
            raise Invalid("a message has a number", hint="see: /history")
        at = int(words[0]) if words else None
        made = self._session.send(ForkConversation(number=self._number, id=new_id(), at=at))
        self._conversation, self._state.number = made.id, made.number
        text.note(f"(now in conversation {made.number}, which begins as this one did)")

    def _take_up(self) -> None:
        if self._number is None:
            return
        found = self._session.send(ShowConversation(number=self._number, limit=1)).conversation
        if self._session.interactive:
            text.note(text.wrap(escape(f"({found.number}. {found.title}; /history shows what was said)")))
        if found.state in ("running", "answered") or (found.state == "awaiting" and self._session.interactive):
            self._resume()

    def _resume(self) -> None:
        from todo_cli.cli import turn_session

        if self._number is None:
            raise Invalid("nothing was said here yet")
        turn_session.resume_turn(self._session, self._number, turn_session.open_screen(self._session, "text"))

    def _say(self, words: str) -> None:
        from todo_cli.cli import turn_session

        begin = turn_session.new_turn(self._conversation, words)
        replaced, self._replaced = self._replaced, None
        if replaced:
            self._gone_back(replaced)
        turn_session.run_to_end(
            self._session, begin, turn_session.open_screen(self._session, "text"), yes=False, seen=self._seen
        )

    def _seen(self, outcome: TurnOutcome) -> None:
        self._state.number = outcome.number

    def _retry(self) -> None:
        words, self._replaced = self._said_last()
        self._say(words)

    def _edit(self) -> None:
        self._default, self._replaced = self._said_last()
        if self._session.interactive:
            text.note("(this takes the place of what you said last; Ctrl-C drops it)")

    def _said_last(self) -> tuple[str, str | None]:
        """What was said last here, and the turn that it began, unless that has been taken back already."""
        if self._number is None:
            raise Invalid("nothing was said here yet")
        for most in LOOKBACK_MESSAGES:
            shown = self._session.send(ShowConversation(number=self._number, limit=most))
            last = next((one for one in reversed(shown.messages) if one.role == "user"), None)
            if last and last.turn == shown.conversation.turn:
                return last.content, last.turn
            if last:
                break
        if shown.conversation.turn is None:
            raise Invalid("nothing was said here yet")
        return self._session.send(RewindTurn(turn=shown.conversation.turn)).text, None

    def _gone_back(self, turn: str) -> None:
        """To before the turn; what it has changed is taken back with it, or stays, as the person wishes."""
        asked = self._session.interactive and self._changed(turn)
        if asked and ask_yes_no(self._session, "Take this back first?", yes=False, flag="/undo"):
            self._session.send(UndoTurn(turn=turn))
        else:
            self._session.send(RewindTurn(turn=turn))

    def _changed(self, turn: str) -> bool:
        """Says what it has changed, where that can be taken back."""
        try:
            planned = self._session.send(UndoTurn(turn=turn, dry_run=True))
        except Conflict as error:
            text.note(text.wrap(escape(f"(what it changed stays: {error.detail})")))
            return False
        for difference in planned.differences:
            text.note(text.wrap(f"  {format_difference(difference)}", "    "))
        return bool(planned.differences)

    def _use(self, words: list[str]) -> None:
        from todo_cli.cli.repl import model_list

        if words:
            self._session.model = parse_model_name(" ".join(words))
            text.note(escape(f"({self._session.model} from here on; for all conversations: todo prefs --model NAME)"))
        else:
            model_list.print_models(self._session)
