"""The prompt on a terminal: several lines, history, an editor, completion, and a line about the conversation."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from prompt_toolkit.application.current import get_app
from prompt_toolkit.completion import Completer
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.history import History, ThreadedHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style
from prompt_toolkit.utils import get_cwidth

from todo_cli.cli.render import text
from todo_cli.cli.render.escape import escape, escape_block
from todo_cli.cli.repl.state import ReplState, send_all
from todo_cli.cli.repl.texts import LEAVE_HINT, PROMPT
from todo_cli.cli.session import Session
from todo_cli.errors import TodoError

STATES = {"running": "answering elsewhere", "awaiting": "needs approval: /approve", "answered": "answered: /resume"}
HINTS = "Enter sends · Esc Enter new line · / commands · # tasks"
PLACEHOLDER = "Type a message, or / for commands"
STYLE = {
    "bottom-toolbar": "noreverse",
    "bottom-toolbar.text": "dim",
    "placeholder": "dim",
    "prompt": "bold",
    "more": "dim",
    "completion-menu": "noreverse bg:default fg:default",
    "completion-menu.completion": "bg:default fg:default",
    "completion-menu.completion.current": "reverse bg:default fg:default",
    "completion-menu.meta.completion": "bg:default fg:default dim",
    "completion-menu.meta.completion.current": "reverse bg:default fg:default",
    "completion-menu.multi-column-meta": "bg:default fg:default",
    "scrollbar.background": "bg:default",
    "scrollbar.button": "reverse",
}


class PromptHistory(History):
    """The user's messages in all conversations. A new message is stored when it is sent, not here."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def load_history_strings(self) -> Iterable[str]:
        """Return the messages, newest first; nothing if the list cannot be reached."""
        from todo_cli.contract.prompt_history import ListPrompts

        try:
            prompts = send_all(self._session, ListPrompts())[0].prompts
        except TodoError:
            return []
        pairs = zip([None, *prompts], prompts, strict=False)
        return [escape_block(prompt) for before, prompt in pairs if prompt != before]

    def store_string(self, string: str) -> None:
        """Do nothing: no message is stored on this machine."""


class LinePrompt:
    """Reads all messages of a chat."""

    def __init__(self, session: Session, state: ReplState) -> None:
        self._session, self._state = session, state
        self._was_shown = self.dropped = False
        self._prompt: PromptSession[str] = PromptSession(
            multiline=True,
            key_bindings=self._keys(),
            history=ThreadedHistory(PromptHistory(session)),
            completer=_open_completer(state),
            complete_while_typing=Condition(_is_completing),
            bottom_toolbar=self._toolbar,
            style=Style.from_dict(STYLE),
            color_depth=ColorDepth.DEPTH_4_BIT if session.use_color else ColorDepth.DEPTH_1_BIT,
            enable_suspend=True,
            prompt_continuation=lambda width, number, wrapped: [("class:more", " " * width)],
            tempfile_suffix=".md",
            include_default_pygments_style=False,
            reserve_space_for_menu=6,
        )

    def read(self, default: str = "") -> str | None:
        """Read a message. Ctrl-C on an empty line explains how to leave; a second Ctrl-C leaves."""
        self.dropped = False
        if self._was_shown:
            text.note("")  # an empty line between the last output and the prompt
        for is_second in (False, True):
            try:
                return self._prompt.prompt(
                    [("class:prompt", PROMPT)],
                    default=default,
                    pre_run=self._start_reading,
                    placeholder=self._placeholder(),
                )
            except EOFError:
                break
            except KeyboardInterrupt:
                default, self.dropped = "", True
                if not is_second:
                    text.note(LEAVE_HINT)
        return None

    def _placeholder(self) -> StyleAndTextTuples:
        return [] if self._was_shown else [("class:placeholder", PLACEHOLDER)]

    def _start_reading(self) -> None:
        """Read slow things once the prompt is shown."""
        app = get_app()
        loop = app.loop
        self._state.on_change = lambda: app.invalidate() if loop and app.is_running else None
        self._state.refresh()
        if not self._was_shown:
            threading.Thread(target=_preload, daemon=True).start()
        self._was_shown = True

    def _toolbar(self) -> StyleAndTextTuples:
        state = self._state
        title = f"{state.number}. {state.title}" if state.number else "new conversation"
        parts = [title, self._session.model or state.model, STATES.get(state.state, "")]
        line = " · ".join(escape(part) for part in parts if part)
        room = get_app().output.get_size().columns - 1
        while get_cwidth(line) > room - 20:
            line = line[: -2 - len(line) // 20] + "…"
        free = room - get_cwidth(line)
        hints = HINTS if len(HINTS) + 3 <= free else "/help"
        return [("class:bottom-toolbar.text", f"{line}{' ' * max(free - len(hints), 2)}{hints}")]

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        @keys.add("c-j")
        def send(event: KeyPressEvent) -> None:
            event.current_buffer.validate_and_handle()

        @keys.add("escape", "enter")
        @keys.add("escape", "c-j")
        def new_line(event: KeyPressEvent) -> None:
            event.current_buffer.newline(copy_margin=False)

        @keys.add("c-x", "c-e")
        def editor(event: KeyPressEvent) -> None:
            event.current_buffer.open_in_editor(validate_and_handle=False)

        @keys.add("c-c")
        def drop(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.text:
                buffer.reset(append_to_history=True)  # the up arrow restores it
                self.dropped = True
            else:
                event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

        return keys


def _open_completer(state: ReplState) -> Completer:
    from todo_cli.cli.repl.completer import PromptCompleter

    return PromptCompleter(state.cache)


def _is_completing() -> bool:
    """Whether the word before the cursor is a command or a name; plain words are not completed."""
    before = get_app().current_buffer.document.current_line_before_cursor
    last = before.rpartition(" ")[2]
    return before.startswith("/") or last.startswith(("#", "@"))


def _preload() -> None:
    """Import the modules that the first answer needs."""
    import todo_cli.cli.render.markdown
    import todo_cli.cli.turn_session  # noqa: F401
