"""The prompt on a terminal: several lines, what was said before, an editor, completion, and where one is."""

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
from todo_cli.cli.repl.state import LEAVING, PROMPT, ReplState, send_all
from todo_cli.cli.session import Session
from todo_cli.errors import TodoError

STATES = {"running": "answering elsewhere", "awaiting": "waits for a yes: /approve", "answered": "answered: /resume"}
HINTS = "Enter sends · Esc Enter new line · / commands · # tasks"
PLACEHOLDER = "in plain words, or / for commands"
STYLE = {
    "bottom-toolbar": "noreverse", "bottom-toolbar.text": "dim", "placeholder": "dim", "prompt": "bold", "more": "dim",
    "completion-menu": "noreverse bg:default fg:default", "completion-menu.completion": "bg:default fg:default",
    "completion-menu.completion.current": "reverse bg:default fg:default",
    "completion-menu.meta.completion": "bg:default fg:default dim",
    "completion-menu.meta.completion.current": "reverse bg:default fg:default",
    "completion-menu.multi-column-meta": "bg:default fg:default",
    "scrollbar.background": "bg:default", "scrollbar.button": "reverse",
}  # fmt: skip


class PromptHistory(History):
    """What this person has said, in all conversations; what is typed here is stored as they say it, not by this."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def load_history_strings(self) -> Iterable[str]:
        """Newest first; nothing where the list cannot be reached."""
        from todo_cli.contract.prompt_history import ListPrompts

        try:
            said = send_all(self._session, ListPrompts())[0].prompts
        except TodoError:
            return []
        return [one for place, one in enumerate(map(escape_block, said)) if not place or one != said[place - 1]]

    def store_string(self, string: str) -> None:
        """Nothing is written on this machine."""


class LinePrompt:
    """One for the whole conversation."""

    def __init__(self, session: Session, state: ReplState) -> None:
        self._session, self._state = session, state
        self._said_once = self.dropped = False
        self._prompt: PromptSession[str] = PromptSession(
            multiline=True, key_bindings=self._keys(), history=ThreadedHistory(PromptHistory(session)),
            completer=_open_completer(state), complete_while_typing=Condition(_is_completing),
            bottom_toolbar=self._toolbar, style=Style.from_dict(STYLE),
            color_depth=ColorDepth.DEPTH_4_BIT if session.colored else ColorDepth.DEPTH_1_BIT, enable_suspend=True,
            prompt_continuation=lambda width, number, wrapped: [("class:more", " " * width)], tempfile_suffix=".md",
            include_default_pygments_style=False, reserve_space_for_menu=6,
        )  # fmt: skip

    def read(self, default: str = "") -> str | None:
        """A message; Ctrl-C on an empty line says how to leave, and then leaves."""
        self.dropped = False
        if self._said_once:
            text.note("")  # a free line between what was shown and what is said next
        for left in (False, True):
            try:
                return self._prompt.prompt(
                    [("class:prompt", PROMPT)], default=default, pre_run=self._behind, placeholder=self._placeholder()
                )
            except EOFError:
                break
            except KeyboardInterrupt:
                default, self.dropped = "", True
                if not left:
                    text.note(LEAVING)
        return None

    def _placeholder(self) -> StyleAndTextTuples:
        return [] if self._said_once else [("class:placeholder", PLACEHOLDER)]

    def _behind(self) -> None:
        """What takes its time comes once the prompt is there."""
        app = get_app()
        loop = app.loop
        self._state.changed = lambda: app.invalidate() if loop and app.is_running else None
        self._state.look()
        if not self._said_once:
            threading.Thread(target=_preload, daemon=True).start()
        self._said_once = True

    def _toolbar(self) -> StyleAndTextTuples:
        state = self._state
        where = f"{state.number}. {state.title}" if state.number else "new conversation"
        parts = [where, self._session.model or state.model, STATES.get(state.state, "")]
        line = " · ".join(escape(one) for one in parts if one)
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
                buffer.reset(append_to_history=True)  # the arrow up brings it back
                self.dropped = True
            else:
                event.app.exit(exception=KeyboardInterrupt, style="class:aborting")

        return keys


def _open_completer(state: ReplState) -> Completer:
    from todo_cli.cli.repl.completer import PromptCompleter

    return PromptCompleter(state.known)


def _is_completing() -> bool:
    """Only where something is named: plain words are nobody's business."""
    before = get_app().current_buffer.document.current_line_before_cursor
    last = before.rpartition(" ")[2]
    return before.startswith("/") or last.startswith(("#", "@"))


def _preload() -> None:
    """What the first answer will need."""
    import todo_cli.cli.render.markdown
    import todo_cli.cli.turn_session  # noqa: F401
