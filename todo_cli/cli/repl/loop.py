"""The loop of the prompt: send messages to the model, and run commands that begin with a slash."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress

import typer

from todo_cli.cli.conversation_option import find_conversation
from todo_cli.cli.echo import no_input
from todo_cli.cli.error_output import print_error
from todo_cli.cli.options import parse_model_name
from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape
from todo_cli.cli.repl import slash_commands
from todo_cli.cli.repl.last_message import find_last_message, rewind
from todo_cli.cli.repl.reader import Reader
from todo_cli.cli.repl.state import ReplState
from todo_cli.cli.repl.texts import LEAVE_WORDS, NO_MESSAGES
from todo_cli.cli.run import run as run_command
from todo_cli.cli.session import Session
from todo_cli.command_table import COMMANDS
from todo_cli.contract.conversations import Conversation, ForkConversation, ShowConversation
from todo_cli.contract.ids import new_id
from todo_cli.errors import Conflict, Invalid, TodoError
from todo_cli.turn_client.outcome import TurnOutcome


class Repl:
    """Chats in one conversation after the other. A new conversation gets its number with the first message."""

    def __init__(self, session: Session, conversation: str, state: ReplState, reader: Reader) -> None:
        self._session, self._conversation, self._state, self._reader = session, conversation, state, reader
        self._model = session.model
        self._default = ""
        self._replaced_turn: str | None = None
        self._is_over = False
        self._commands: dict[str, Callable[[list[str]], object]] = {
            "undo": lambda _: self._run_command(self._undo_words("undo")),
            "redo": lambda _: self._run_command(self._undo_words("redo")),
            "retry": lambda _: self._retry(),
            "edit": lambda _: self._edit(),
            "stop": lambda _: self._run_here("stop", unstarted="nothing runs in this conversation"),
            "approve": self._approve,
            "resume": lambda words: self._switch_to(words[0]) if words else self._resume(),
            "new": lambda _: self._open(new_id(), None),
            "fork": self._fork,
            "conversations": lambda words: self._run_command(["chat", "list", *words]),
            "history": lambda words: self._run_here("show", *(["-n", *words] if words else [])),
            "search": lambda words: self._run_command(["chat", "search", *words]),
            "rename": lambda words: self._run_here("rename", *words),
            "model": self._show_or_set_model,
            "usage": lambda words: self._run_command(["chat", "usage", *words]),
            "export": lambda words: self._run_here("export", *words),
            "todo": self._run_command,
            "help": self._help,
            "exit": lambda _: self._leave(),
        }

    @property
    def _number(self) -> int | None:
        return self._state.number

    def run(self) -> None:
        """Resume what the conversation has left open, then read and answer messages until the end."""
        self._run_safely(self._take_up)
        while not self._is_over:
            default, self._default = self._default, ""
            line = self._reader.read(default)
            if line is None:
                return
            if self._reader.dropped or not line.strip():
                self._replaced_turn = None
            if not line.strip():
                continue
            self._run_safely(lambda line=line: self._run_line(line))  # type: ignore[misc]
            self._state.cache.invalidate()

    def _leave(self) -> None:
        self._is_over = True

    def _help(self, words: list[str]) -> None:
        if words:
            self._run_command([*words, "--help"])
        else:
            text.write(slash_commands.help_text())

    def _run_safely(self, step: Callable[[], object]) -> None:
        """Run a step. Print its error, if any, and return to the prompt, after Ctrl-C too."""
        try:
            step()
        except TodoError as error:
            # the prompt is the way to go on, not the command that the hint names
            error.hint = (error.hint or "").replace(f"todo ask -c {self._number} 'go on'", "'go on'")
            print_error(error, as_json=False)
        except typer.Exit:
            pass  # the step has printed why
        except EOFError:
            self._leave()
        except KeyboardInterrupt:
            text.note(
                "\n(interrupted; /resume follows an answer that still runs)" if self._number else "\n(interrupted)"
            )

    def _run_line(self, line: str) -> None:
        if line.strip().lower() in LEAVE_WORDS:
            self._leave()
            return
        if not line.lstrip().startswith("/"):
            self._send(line)
            return
        self._replaced_turn = None
        words = slash_commands.split_words(line.strip()[1:])
        if words and words[0] in LEAVE_WORDS:
            words[0] = "exit"
        if words and slash_commands.is_chat_command(words):
            self._commands[words[0]](words[1:])
        elif words and (words[0] in COMMANDS or words[0].startswith("-")):
            self._run_command(words)
        else:
            raise slash_commands.unknown_command(words[0] if words else "")

    def _run_command(self, words: list[str]) -> None:
        """Run a command of `todo`."""
        if words == ["chat"]:
            raise Invalid("this is the chat", hint="change the conversation with: /new, or /resume N")
        options = ["--profile", self._session.profile] if self._session.profile else []
        options += [] if self._session.allow_color else ["--no-color"]
        # a usage error or --help ends the command, not the chat; piped lines belong to the chat, not to the command
        with suppress(SystemExit), nullcontext() if self._session.is_interactive else no_input():
            run_command([*options, *words])

    def _run_here(self, word: str, *words: str, unstarted: str = NO_MESSAGES) -> None:
        """Run a command of `todo chat` on this conversation."""
        if self._number is None:
            raise Invalid(unstarted)
        self._run_command(["chat", word, str(self._number), *words])

    def _undo_words(self, word: str) -> list[str]:
        """Return the command that undoes the last turn, or the user's last change in a new conversation."""
        return ["chat", word, str(self._number)] if self._number else [word]

    def _open(self, conversation: str, number: int | None) -> None:
        self._conversation, self._state.number, self._session.model = conversation, number, self._model
        self._state.title = ""

    def _switch_to(self, number: str) -> None:
        self._open(*find_conversation(self._session, number))
        self._take_up()

    def _fork(self, words: list[str]) -> None:
        if self._number is None:
            raise Invalid(NO_MESSAGES)
        if words and not (words[0].isascii() and words[0].isdigit() and len(words[0]) < 19):
            raise Invalid(f"{words[0][:40]!r} is not a message number", hint="see the numbers with: /history")
        at = int(words[0]) if words else None
        forked = self._session.send(ForkConversation(number=self._number, id=new_id(), at=at))
        self._conversation, self._state.number = forked.id, forked.number
        text.note(f"(now in conversation {forked.number}, a copy of the previous one)")

    def _take_up(self) -> None:
        """Print the conversation's title, and resume an answer that runs or needs approval."""
        if self._number is None:
            return
        conversation = self._read_conversation()
        is_interactive = self._session.is_interactive
        if is_interactive:
            line = f"({conversation.number}. {conversation.title}; /history shows the messages)"
            text.note(text.wrap(escape(line)))
        if conversation.state in ("running", "answered") or (conversation.state == "awaiting" and is_interactive):
            self._resume()

    def _read_conversation(self) -> Conversation:
        if self._number is None:
            raise Invalid(NO_MESSAGES)
        return self._session.send(ShowConversation(number=self._number, limit=1)).conversation

    def _approve(self, words: list[str]) -> None:
        """Ask for the pending approval, or approve the choices with these numbers; raises Conflict without one."""
        from todo_cli.cli import turn_session

        if words and words[0].startswith("-"):
            return self._run_here("approve", *words)
        if self._number is None or self._read_conversation().state not in ("awaiting", "answered"):
            raise Conflict("nothing waits for your approval in this conversation", hint="see: /history")
        if not words:
            return self._resume()
        screen = turn_session.open_screen(self._session, "text")
        turn_session.answer_turn(self._session, self._number, screen, yes=True, only=" ".join(words))

    def _resume(self) -> None:
        from todo_cli.cli import turn_session

        if self._number is None:
            raise Invalid(NO_MESSAGES)
        turn_session.resume_turn(self._session, self._number, turn_session.open_screen(self._session, "text"))

    def _send(self, words: str) -> None:
        """Send a message to the model, instead of the last one after /edit and /retry."""
        from todo_cli.cli import turn_session

        begin = turn_session.new_turn(self._conversation, words)
        replaced_turn, self._replaced_turn = self._replaced_turn, None
        if replaced_turn:
            rewind(self._session, replaced_turn)
        screen = turn_session.open_screen(self._session, "text")
        turn_session.run_to_end(self._session, begin, screen, yes=False, on_outcome=self._store_number)

    def _store_number(self, outcome: TurnOutcome) -> None:
        self._state.number = outcome.number

    def _retry(self) -> None:
        words, self._replaced_turn = find_last_message(self._session, self._number)
        self._send(words)

    def _edit(self) -> None:
        self._default, self._replaced_turn = find_last_message(self._session, self._number)
        if self._session.is_interactive:
            text.note("(edit your last message; Ctrl-C cancels)")

    def _show_or_set_model(self, words: list[str]) -> None:
        from todo_cli.cli.repl import model_list

        if words:
            self._session.model = parse_model_name(" ".join(words))
            hint = "to use it in all conversations: todo prefs --model NAME"
            text.note(escape(f"(the model is {self._session.model} now; {hint})"))
        else:
            model_list.print_models(self._session)
