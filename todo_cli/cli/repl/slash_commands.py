"""What begins with a slash: the conversation's own commands, and every command of `todo`."""

from __future__ import annotations

import shlex
from difflib import get_close_matches

from todo_cli.command_table import COMMANDS
from todo_cli.errors import Invalid

CHAT_COMMANDS: dict[str, tuple[str, str]] = {  # name -> what may follow it, one line
    "undo": ("", "Take back what the last answer did; /redo does it again."),
    "redo": ("", "Do it again."),
    "retry": ("", "Ask the last message again; /edit says it in other words."),
    "edit": ("", "Say the last message in other words, from before it."),
    "stop": ("", "End an answer that runs elsewhere, or a question."),
    "approve": ("", "Answer what waits for a yes."),
    "resume": ("[N]", "Follow an answer that was left; go on with conversation N."),
    "new": ("", "Begin another conversation."),
    "fork": ("[SEQ]", "Go on in a copy of this one (up to message SEQ)."),
    "conversations": ("", "List them."),
    "history": ("[COUNT]", "Show what was said here."),
    "search": ("WORDS", "Find what was said, in all conversations."),
    "rename": ("TITLE", "Give this one another title."),
    "model": ("[NAME]", "Say which model this is; use another one here."),
    "usage": ("", "Say what it has cost."),
    "export": ("", "Print this conversation as Markdown."),
    "todo": ("COMMAND", "Any command of todo, also where a name above hides it."),
    "help": ("[COMMAND]", "Show this; /exit leaves, as Ctrl-D does."),
    "exit": ("", "Leave, as Ctrl-D does."),
}

BARE_ONLY = {"undo", "redo", "stop", "edit"}
"""With words behind them these are commands of `todo`: /undo --id 7, /edit 3 --due friday."""

UNLISTED = {"redo", "edit", "exit"}
"""Told in another one's line, so that all of them fit on a screen of 24 lines."""

KEYS = """\
  Enter sends · Esc Enter: new line · Ctrl-X Ctrl-E: editor · Tab completes
  Up and Ctrl-R: what you said before · Ctrl-C stops an answer, clears a line"""


def split_words(line: str) -> list[str]:
    """The words behind a slash; raises Invalid."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Invalid(str(error).lower()) from None


def is_chat_command(words: list[str]) -> bool:
    """Whether the conversation itself answers it."""
    return words[0] in CHAT_COMMANDS and (len(words) == 1 or words[0] not in BARE_ONLY)


def unknown_command(name: str) -> Invalid:
    """There is none of that name."""
    near = get_close_matches(name, [*CHAT_COMMANDS, *COMMANDS], 1)
    return Invalid("there is no such command", hint=f"/{near[0]}?" if near else "see: /help")


def help_text() -> str:
    """All of it, on one screen of 80 columns and 24 lines."""
    lines = ["Plain words go to the model. Commands begin with a slash, and need none:"]
    lines += [
        f"  /{f'{name} {words}'.rstrip():<16} {about}"
        for name, (words, about) in CHAT_COMMANDS.items()
        if name not in UNLISTED
    ]
    lines += ["And every command of todo: /add 'Buy milk' --due friday, /list, /done 3 …"]
    return "\n".join([*lines, *KEYS.splitlines()])
