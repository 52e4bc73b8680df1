"""Commands of the prompt: its own ones, and every command of `todo` behind a slash."""

from __future__ import annotations

import shlex
from difflib import get_close_matches
from typing import NamedTuple

from todo_cli.command_table import COMMANDS
from todo_cli.errors import Invalid


class ChatCommand(NamedTuple):
    """A command of the prompt. An unlisted one is mentioned in another one's help, so that all fit on 24 lines."""

    help: str
    arguments: str = ""
    listed: bool = True
    bare_only: bool = False
    """Whether arguments make it the command of `todo` with the same name: /undo --id 7, /edit 3 --due friday."""


CHAT_COMMANDS: dict[str, ChatCommand] = {
    "undo": ChatCommand("Undo the changes of the last answer; /redo redoes them.", bare_only=True),
    "redo": ChatCommand("Redo the changes of the last answer.", listed=False, bare_only=True),
    "retry": ChatCommand("Send your last message again; /edit changes it first."),
    "edit": ChatCommand("Change your last message and send it again.", listed=False, bare_only=True),
    "stop": ChatCommand("Stop an answer that runs elsewhere, or refuse its changes.", bare_only=True),
    "approve": ChatCommand("Answer a pending approval, or approve only N.", "[N...]"),
    "resume": ChatCommand("Follow an unfinished answer, or continue conversation N.", "[N]"),
    "new": ChatCommand("Start a new conversation."),
    "fork": ChatCommand("Copy this conversation, up to message SEQ, and go there.", "[SEQ]"),
    "conversations": ChatCommand("List conversations."),
    "history": ChatCommand("Show the messages of this conversation.", "[COUNT]"),
    "search": ChatCommand("Search the messages of all conversations.", "WORDS"),
    "rename": ChatCommand("Rename this conversation.", "TITLE"),
    "model": ChatCommand("Show the model, or use another one here.", "[NAME]"),
    "usage": ChatCommand("Show the tokens used, and their costs."),
    "export": ChatCommand("Print this conversation as Markdown."),
    "todo": ChatCommand("Run a todo command whose name is taken by this list.", "COMMAND"),
    "help": ChatCommand("Show this help; /exit leaves, and so do exit, quit, q.", "[COMMAND]"),
    "exit": ChatCommand("Leave.", listed=False),
}

KEYS = """\
  Enter sends · Esc Enter: new line · Ctrl-X Ctrl-E: editor · Tab completes
  Up, Ctrl-R: earlier messages · Ctrl-C stops an answer or clears the line"""


def split_words(line: str) -> list[str]:
    """Split the text after the slash as a shell does; raises Invalid."""
    try:
        return shlex.split(line)
    except ValueError as error:
        raise Invalid(str(error).lower()) from None


def is_chat_command(words: list[str]) -> bool:
    """Whether the words are a command of the prompt, not of `todo`."""
    command = CHAT_COMMANDS.get(words[0])
    return command is not None and (len(words) == 1 or not command.bare_only)


def unknown_command(name: str) -> Invalid:
    """Return the error for an unknown command, with the closest name."""
    matches = get_close_matches(name, [*CHAT_COMMANDS, *COMMANDS], 1)
    hint = f"did you mean /{matches[0]}?" if matches else "list the commands with: /help"
    return Invalid(f"unknown command '/{name}'", hint=hint)


def help_text() -> str:
    """Return the help, which fits on a screen of 80 columns and 24 lines."""
    lines = ["Plain text goes to the model. Commands begin with a slash and need no model:"]
    for name, command in CHAT_COMMANDS.items():
        if command.listed:
            usage = f"{name} {command.arguments}".rstrip()
            lines.append(f"  /{usage:<16} {command.help}")
    lines.append("Every todo command works too: /add 'Buy milk' --due friday, /list, /done 3 …")
    return "\n".join([*lines, *KEYS.splitlines()])
